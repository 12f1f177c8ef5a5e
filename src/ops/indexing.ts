import { show } from '../errors.ts';
import {
  checkChoice,
  checkDType,
  checkOperands,
  checkShape,
  checkTensor,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { resolveAxis } from '../tensor/shape.ts';
import { empty, fromArray, type Tensor } from '../tensor/tensor.ts';
import { concat, copyInto, zeros } from './copy.ts';

/** Shapes agree everywhere but along `axis`. */
function checkBeside(operation: string, argument: string, x: Tensor, y: Tensor, axis: number) {
  checkShape(operation, argument, y, (x.shape as (number | null)[]).with(axis, null));
}

/**
 * Elements of `x` chosen along an axis: `out[.., i, ..] = x[.., indices[.., i, ..], ..]`.
 *
 * @param x - any dtype.
 * @param indices - i32, the shape of `x` but for the axis. They live on the device, so no call can refuse one outside of
 * the axis: it reads 0.
 * @returns the shape of `indices`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function gather<D extends DType>(
  x: Tensor<D>,
  indices: Tensor<'i32'>,
  axis: number,
): Tensor<D> {
  checkTensor('gather', 'x', x);
  checkTensor('gather', 'indices', indices);
  const device = checkOperands('gather', { x, indices });
  checkDType('gather', 'indices', indices, ['i32']);
  const index = resolveAxis('gather', axis, x.rank);
  checkBeside('gather', 'indices', x, indices, index);
  const out = empty(device, indices.shape, x.dtype);
  if (out.size > 0) {
    const operands = { x: x.native, indices: indices.native, out: out.native };
    native().indexed(device.native, { ...operands, axis: index, isScatter: false });
  }
  return out;
}

/**
 * A copy of `x` with elements replaced along an axis: `out[.., indices[.., i, ..], ..] = source[.., i, ..]`.
 *
 * @param x - any dtype.
 * @param indices - i32, the shape of `x` but for the axis. One outside of the axis writes nothing; where indices repeat,
 * any one of their elements is written.
 * @param source - shape of `indices`, dtype of `x`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function scatter<D extends DType>(
  x: Tensor<D>,
  indices: Tensor<'i32'>,
  source: Tensor<D>,
  axis: number,
): Tensor<D> {
  checkTensor('scatter', 'x', x);
  checkTensor('scatter', 'indices', indices);
  checkTensor('scatter', 'source', source);
  const device = checkOperands('scatter', { x, indices, source });
  checkDType('scatter', 'indices', indices, ['i32']);
  checkDType('scatter', 'source', source, [x.dtype]);
  const index = resolveAxis('scatter', axis, x.rank);
  checkBeside('scatter', 'indices', x, indices, index);
  checkShape('scatter', 'source', source, indices.shape);
  const out = copyInto(x, empty(device, x.shape, x.dtype));
  if (indices.size > 0 && out.size > 0) {
    const operands = { x: source.native, indices: indices.native, out: out.native };
    native().indexed(device.native, { ...operands, axis: index, isScatter: true });
  }
  return out;
}

/**
 * Slices of `x` at positions of one axis, in the order of `positions`; {@link gather} with the same indices everywhere.
 *
 * @param positions - whole numbers in `[0, extent)`, or an i32 tensor `[count]`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function take<D extends DType>(
  x: Tensor<D>,
  positions: readonly number[] | Tensor<'i32'>,
  axis: number,
): Tensor<D> {
  const device = checkTensor('take', 'x', x);
  const index = resolveAxis('take', axis, x.rank);
  if (!Array.isArray(positions)) {
    checkTensor('take', 'positions', positions as Tensor<'i32'>);
    checkShape('take', 'positions', positions as Tensor<'i32'>, [null]);
    return gatherSlices(x, positions as Tensor<'i32'>, index);
  }
  for (const [i, position] of positions.entries()) {
    checkWhole('take', `positions[${i}]`, position, 0, x.shape[index]! - 1);
  }
  using chosen = fromArray(device, positions, [positions.length], 'i32');
  return gatherSlices(x, chosen, index);
}

function gatherSlices<D extends DType>(
  x: Tensor<D>,
  positions: Tensor<'i32'>,
  axis: number,
): Tensor<D> {
  const count = positions.shape[0]!;
  using column = positions.reshape(x.shape.map((_, i) => (i === axis ? count : 1)));
  using indices = column.expand(x.shape.with(axis, count));
  return gather(x, indices, axis);
}

/**
 * Tensors side by side along a new axis.
 *
 * @param tensors - at least one; equal shapes and dtypes.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function stack<D extends DType>(tensors: readonly Tensor<D>[], axis = 0): Tensor<D> {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    const expected = 'an array of at least one tensor';
    throw mismatch('ERR_ARGUMENT', 'stack', 'tensors', expected, show(tensors));
  }
  const slices: Tensor<D>[] = [];
  try {
    for (const [i, tensor] of (tensors as readonly Tensor<D>[]).entries()) {
      checkTensor('stack', `tensors[${i}]`, tensor);
      checkShape('stack', `tensors[${i}]`, tensor, tensors[0]!.shape);
      slices.push(tensor.unsqueeze(axis));
    }
    return concat(slices, axis);
  } finally {
    for (const slice of slices) slice.dispose();
  }
}

const PAD_MODES = ['zero', 'replicate', 'reflect'] as const;

/** What {@link pad} puts beside a tensor: zeros, its border again, or its mirror image without the border. */
export type PadMode = (typeof PAD_MODES)[number];

/**
 * A tensor with more elements on both sides of its axes.
 *
 * @param widths - `[before, after]` for every axis; `reflect` takes less than the extent of the axis.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_SHAPE` where there is nothing to repeat, `ERR_DISPOSED`.
 */
export function pad<D extends DType>(
  x: Tensor<D>,
  widths: readonly (readonly [number, number])[],
  mode: PadMode = 'zero',
): Tensor<D> {
  checkTensor('pad', 'x', x);
  checkChoice('pad', 'mode', mode, PAD_MODES);
  checkWidths(x, widths, mode);
  if (mode === 'zero') return padZeros(x, widths);
  let padded = x.retain();
  for (const [axis, [before, after]] of widths.entries()) {
    if (before + after === 0) continue;
    using previous = padded;
    padded = take(previous, borderPositions(x.shape[axis]!, before, after, mode), axis);
  }
  return padded;
}

function checkWidths(
  x: Tensor,
  widths: readonly (readonly [number, number])[],
  mode: PadMode,
): void {
  if (!Array.isArray(widths) || widths.length !== x.rank) {
    const expected = `${x.rank} pairs for ${formatTensor(x)}`;
    throw mismatch('ERR_ARGUMENT', 'pad', 'widths', expected, show(widths));
  }
  for (const [axis, pair] of widths.entries()) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      const expected = '[before, after]';
      throw mismatch('ERR_ARGUMENT', 'pad', `widths[${axis}]`, expected, show(pair));
    }
    const extent = x.shape[axis]!;
    const most = mode === 'reflect' ? Math.max(extent - 1, 0) : undefined;
    for (const side of [0, 1]) checkWhole('pad', `widths[${axis}][${side}]`, pair[side], 0, most);
    if (mode === 'replicate' && extent === 0 && pair[0] + pair[1] > 0) {
      const expected = `elements along axis ${axis}`;
      throw mismatch('ERR_SHAPE', 'pad', 'x', expected, formatTensor(x));
    }
  }
}

function padZeros<D extends DType>(
  x: Tensor<D>,
  widths: readonly (readonly [number, number])[],
): Tensor<D> {
  const shape = x.shape.map((extent, axis) => extent + widths[axis]![0] + widths[axis]![1]);
  const out = zeros(x.device, shape, x.dtype);
  let middle = out.retain();
  for (const [axis, [before]] of widths.entries()) {
    using previous = middle;
    middle = previous.slice(axis, before, before + x.shape[axis]!);
  }
  using target = middle;
  copyInto(x, target);
  return out;
}

/** The positions along an axis that its padded version repeats. */
function borderPositions(extent: number, before: number, after: number, mode: PadMode): number[] {
  const last = extent - 1;
  return Array.from({ length: before + extent + after }, (_, i) => {
    const position = i - before;
    if (mode === 'replicate') return Math.min(Math.max(position, 0), last);
    return position < 0 ? -position : position > last ? 2 * last - position : position;
  });
}
