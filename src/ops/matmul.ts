import {
  checkDType,
  checkMinRank,
  checkObject,
  checkOperands,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { broadcastShapes, coalesce, expandedStrides, type Shape } from '../tensor/shape.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';
import { contiguous } from './copy.ts';

/** Options of {@link matmul}. */
export interface MatmulOptions<E extends FloatDType = FloatDType> {
  /** Default: dtype of `a`. */
  readonly outDtype?: E | undefined;
}

/**
 * The matrix product `a b`. Axes before the last two are a batch and broadcast; a vector is a row on the left, a
 * column on the right, and its axis does not appear in the result. Rounds like {@link linear}.
 *
 * Views are read where they lie when the columns of `a`, or the rows of `b` as in `b.permute([1, 0])`, are adjacent;
 * otherwise a transposed copy comes first.
 *
 * @param a - `[..., M, K]` or `[K]`, any float dtype.
 * @param b - `[..., K, N]` or `[K]`, any float dtype.
 * @returns `[..., M, N]`.
 * @throws {@link FramePackError} `ERR_SHAPE` naming both shapes, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function matmul<D extends DType, E extends FloatDType = D & FloatDType>(
  a: Tensor<D>,
  b: Tensor,
  options: MatmulOptions<E> = {},
): Tensor<E> {
  const device = checkOperands('matmul', { a, b });
  checkObject('matmul', 'options', options);
  for (const [argument, operand] of Object.entries({ a, b })) {
    checkDType('matmul', argument, operand);
    checkMinRank('matmul', argument, operand, 1);
  }
  using left = matrixOf(a, 0);
  using right = matrixOf(b, 1);
  using columns = right.permute(swapped(right.rank));
  if (left.shape.at(-1) !== columns.shape.at(-1)) {
    const expected = `${left.shape.at(-1)} rows for a ${formatTensor(a)}`;
    throw mismatch('ERR_SHAPE', 'matmul', 'b', expected, formatTensor(b));
  }
  using rows = withAdjacentColumns(left);
  using weight = withAdjacentColumns(columns);
  const batch = broadcastShapes('matmul', rows.shape.slice(0, -2), weight.shape.slice(0, -2));
  const matrix = [rows.shape.at(-2)!, weight.shape.at(-2)!] as const;
  const out = empty(device, [...batch, ...matrix], options.outDtype ?? (a.dtype as DType as E));
  if (out.size > 0) enqueueProducts(rows, weight, out, batch);
  return withoutVectorAxes(out, a, b);
}

/** A vector as a matrix: its new axis is `axis`. */
function matrixOf(operand: Tensor, axis: 0 | 1): Tensor {
  return operand.rank === 1 ? operand.unsqueeze(axis) : operand.retain();
}

/** The order of axes with the last two exchanged. */
function swapped(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

/** `x`, or a copy of it, with neighbouring columns next to each other and rows that do not overlap. */
function withAdjacentColumns(x: Tensor): Tensor {
  const isAdjacent = x.strides.at(-1) === 1 || x.shape.at(-1)! <= 1;
  return isAdjacent ? x.retain() : contiguous(x);
}

/** One native call per run of batch entries that all operands cross in one stride. */
function enqueueProducts(rows: Tensor, weight: Tensor, out: Tensor, batch: Shape): void {
  const operands = [rows, weight, out] as const;
  const strides = operands.map((operand) => expandedStrides('matmul', batchLayout(operand), batch));
  const merged = coalesce(batch, ...strides);
  const axis = merged.shape.length - 1;
  const count = merged.shape[axis] ?? 1;
  const call = (offsets: readonly number[]): void => {
    const [a, w, target] = operands.map((operand, i) =>
      batchOf(operand, offsets[i]!, count, merged.strides[i]![axis] ?? 0),
    );
    native().matmul(out.device.native, {
      ...{ a: a!, weight: w!, out: target! },
      ...{ scale: undefined, bias: undefined, residual: undefined, gate: undefined },
      ...{ activation: 0, scaleMode: 0 },
    });
  };
  forEachOffset(merged.shape.slice(0, -1), merged.strides, call);
}

function batchLayout({ shape, strides, offset }: Tensor) {
  return { shape: shape.slice(0, -2), strides: strides.slice(0, -2), offset };
}

function batchOf(operand: Tensor, offset: number, count: number, stride: number): NativeTensor {
  return {
    ...operand.native,
    shape: [count, ...operand.shape.slice(-2)],
    strides: [stride, operand.strides.at(-2)!, 1],
    offset: operand.offset + offset,
  };
}

/** Calls `body` with the offset of every operand at every index of `shape`. */
function forEachOffset(
  shape: Shape,
  strides: readonly (readonly number[])[],
  body: (offsets: readonly number[]) => void,
  axis = 0,
  offsets: readonly number[] = strides.map(() => 0),
): void {
  if (axis === shape.length) {
    body(offsets);
    return;
  }
  for (let index = 0; index < shape[axis]!; index++) {
    const at = offsets.map((offset, i) => offset + index * strides[i]![axis]!);
    forEachOffset(shape, strides, body, axis + 1, at);
  }
}

/** The result without the axes that vectors were given. */
function withoutVectorAxes<E extends FloatDType>(out: Tensor<E>, a: Tensor, b: Tensor): Tensor<E> {
  if (a.rank > 1 && b.rank > 1) return out;
  using matrix = out;
  const shape = [
    ...matrix.shape.slice(0, -2),
    ...(a.rank === 1 ? [] : [matrix.shape.at(-2)!]),
    ...(b.rank === 1 ? [] : [matrix.shape.at(-1)!]),
  ];
  return matrix.reshape(shape);
}
