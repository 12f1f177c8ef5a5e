import {
  checkChoice,
  checkContiguous,
  checkDType,
  checkFinite,
  checkList,
  checkObject,
  checkOperands,
  checkShape,
  checkTriple,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import { checkDevice, type Device } from '../tensor/device.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { Triple } from '../tensor/native-types.ts';
import { empty, fromArray, type Tensor } from '../tensor/tensor.ts';

/** Work grows with the volume of a window, also where it only repeats the border. */
const MAX_POOL = 64;
const LAYOUTS = ['interleaved', 'half-split'] as const;

/**
 * Which columns are rotated together: neighbours `(2 j, 2 j + 1)`, or `(j, j + K / 2)`. The numbers are those
 * of `enum class RopeLayout`.
 */
export type RopeLayout = (typeof LAYOUTS)[number];

/** Rotation of every token: one angle per pair of columns, given by its cosine and sine. */
export interface RopeTable {
  /** `[L, K / 2]`. */
  readonly cos: Tensor<'f32'>;
  /** `[L, K / 2]`. */
  readonly sin: Tensor<'f32'>;
}

/** Token grid of {@link ropeTable}. */
export interface RopeTableOptions {
  /** Temporal position of every frame; i32. */
  readonly framePositions: readonly number[];
  /** Rows of a frame, in tokens. */
  readonly height: number;
  /** Columns of a frame, in tokens. */
  readonly width: number;
  /** Head columns of the time, y and x axes; even, 0 leaves an axis out. */
  readonly axisWidths: Triple;
  /** Base of the frequencies `theta^(-2 j / axisWidth)`. */
  readonly theta: number;
}

/**
 * Rotary table of a grid of tokens, w fastest: the angles of the time axis, then y, then x. Computed in f32.
 *
 * @returns tables `[frames * height * width, sum(axisWidths) / 2]`.
 * @see RoFormer (arXiv 2104.09864)
 */
export function ropeTable(device: Device, options: RopeTableOptions): RopeTable {
  checkDevice('ropeTable', device);
  checkObject('ropeTable', 'options', options);
  const { framePositions, height, width, axisWidths, theta } = options;
  checkList('ropeTable', 'framePositions', framePositions);
  checkWhole('ropeTable', 'height', height, 0);
  checkWhole('ropeTable', 'width', width, 0);
  checkTriple('ropeTable', 'axisWidths', axisWidths, 0);
  checkFinite('ropeTable', 'theta', theta);
  if (axisWidths.some((axisWidth) => axisWidth % 2 !== 0)) {
    const got = `[${axisWidths.join(', ')}]`;
    throw mismatch('ERR_ARGUMENT', 'ropeTable', 'axisWidths', 'even numbers', got);
  }
  const tokens = framePositions.length * height * width;
  const columns = (axisWidths[0] + axisWidths[1] + axisWidths[2]) / 2;
  using positions = fromArray(device, framePositions, [framePositions.length], 'i32');
  const cos = empty(device, [tokens, columns], 'f32');
  const sin = empty(device, [tokens, columns], 'f32');
  if (cos.size > 0) {
    native().ropeTable(device.native, {
      framePositions: positions.native,
      cos: cos.native,
      sin: sin.native,
      height,
      width,
      axisWidths,
      theta,
    });
  }
  return { cos, sin };
}

/** Grid and window of {@link ropePool}. */
export interface RopePoolOptions {
  /** T, H, W of the table's tokens. */
  readonly grid: Triple;
  /** Window and stride along each axis; at most 64. */
  readonly pool: Triple;
}

/**
 * Averages a table over windows of its grid; the high sides are padded by repetition. Cosines and sines
 * are averaged, not the angles, and not renormalised, as FramePack does for compressed history.
 *
 * @returns tables with `ceil(grid / pool)` tokens.
 */
export function ropePool(table: RopeTable, options: RopePoolOptions): RopeTable {
  checkObject('ropePool', 'table', table);
  checkObject('ropePool', 'options', options);
  const { grid, pool } = options;
  const device = checkOperands('ropePool', { cos: table.cos, sin: table.sin });
  checkTriple('ropePool', 'grid', grid, 0);
  checkTriple('ropePool', 'pool', pool, 1, MAX_POOL);
  const columns = checkTable('ropePool', table);
  checkShape('ropePool', 'cos', table.cos, [grid[0] * grid[1] * grid[2], columns]);
  const tokens = grid.reduce(
    (product, extent, axis) => product * Math.ceil(extent / pool[axis]!),
    1,
  );
  const cos = empty(device, [tokens, columns], 'f32');
  const sin = empty(device, [tokens, columns], 'f32');
  if (cos.size > 0) {
    native().ropePool(device.native, {
      cos: table.cos.native,
      sin: table.sin.native,
      cosOut: cos.native,
      sinOut: sin.native,
      grid,
      pool,
    });
  }
  return { cos, sin };
}

/** Options of {@link rope}. */
export interface RopeOptions {
  readonly layout: RopeLayout;
  /** `[K]`: rms-normalise every head with this weight before the rotation. */
  readonly weight?: Tensor | undefined;
  /** Added to the mean square; default 1e-6. */
  readonly eps?: number | undefined;
  /** Where to write the result instead of a new tensor; may be `x`. */
  readonly into?: Tensor | undefined;
}

/**
 * Rotates the heads of the first tokens by a table, in f32; tokens beyond the table are only normalised.
 *
 * @param x - `[B, L, N, K]`, any float dtype, head columns adjacent.
 * @param table - at most L tokens, K / 2 columns.
 * @returns shape and dtype of `x`.
 */
export function rope<D extends DType>(
  x: Tensor<D>,
  table: RopeTable,
  options: RopeOptions,
): Tensor<D> {
  checkObject('rope', 'table', table);
  checkObject('rope', 'options', options);
  const { weight, eps = 1e-6, into } = options;
  const { cos, sin } = table;
  const device = checkOperands('rope', { x, cos, sin }, { weight, into });
  checkDType('rope', 'x', x);
  checkShape('rope', 'x', x, [null, null, null, null]);
  const headWidth = x.shape[3]!;
  const columns = checkTable('rope', table);
  if (columns * 2 !== headWidth || cos.shape[0]! > x.shape[1]!) {
    const expected = `[<= ${x.shape[1]}, ${headWidth / 2}]`;
    throw mismatch('ERR_SHAPE', 'rope', 'table', expected, formatTensor(cos));
  }
  checkDType('rope', 'weight', weight);
  checkShape('rope', 'weight', weight, [headWidth]);
  checkContiguous('rope', 'weight', weight);
  checkFinite('rope', 'eps', eps);
  const layout = checkChoice('rope', 'layout', options.layout, LAYOUTS);
  checkDType('rope', 'into', into, [x.dtype]);
  checkShape('rope', 'into', into, x.shape);
  const out = (into as Tensor<D> | undefined) ?? empty(device, x.shape, x.dtype);
  checkHeadColumns('x', x);
  checkHeadColumns('into', out);
  if (out.size === 0) return out;
  native().rope(device.native, {
    x: x.native,
    cos: cos.native,
    sin: sin.native,
    out: out.native,
    weight: weight?.native,
    eps,
    layout,
  });
  return out;
}

function checkHeadColumns(argument: string, tensor: Tensor): void {
  if (tensor.strides[3] !== 1) {
    const got = `stride ${tensor.strides[3]}; call contiguous()`;
    throw mismatch('ERR_UNSUPPORTED', 'rope', argument, 'adjacent head columns', got);
  }
}

/** Returns the number of columns. */
function checkTable(operation: string, table: RopeTable): number {
  checkDType(operation, 'cos', table.cos, ['f32']);
  checkDType(operation, 'sin', table.sin, ['f32']);
  checkShape(operation, 'cos', table.cos, [null, null]);
  checkShape(operation, 'sin', table.sin, table.cos.shape);
  checkContiguous(operation, 'cos', table.cos);
  checkContiguous(operation, 'sin', table.sin);
  return table.cos.shape[1]!;
}
