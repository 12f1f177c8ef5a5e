import {
  checkContiguous,
  checkDType,
  checkOperands,
  checkShape,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { contiguousStrides, formatShape, resolveAxis, sizeOf } from '../tensor/shape.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';

/** The values of `enum class ReduceOp` in kernels/reduce/reduce_args.h. */
const CODES = { sum: 0, mean: 1, absMean: 2, std: 3, maxAbs: 4, countNonFinite: 5 } as const;

type Operation = keyof typeof CODES;

/** Options of every reduction. Without `axis` and `axes` all axes are reduced. */
export interface ReduceOptions<E extends FloatDType = FloatDType> {
  readonly axis?: number | undefined;
  /** Neighbouring axes. */
  readonly axes?: readonly number[] | undefined;
  /** Leave reduced axes in place with extent 1. */
  readonly keepAxis?: boolean | undefined;
  /** Default: dtype of `x`. */
  readonly outDtype?: E | undefined;
}

function run<D extends DType, E extends FloatDType>(
  operation: Operation,
  x: Tensor<D>,
  options: ReduceOptions<E>,
  y?: Tensor,
): Tensor<E> {
  const device = checkOperands(operation, { x, minus: y });
  checkDType(operation, 'x', x);
  checkDType(operation, 'minus', y, [x.dtype]);
  checkShape(operation, 'minus', y, x.shape);
  checkContiguous(operation, 'x', x);
  checkContiguous(operation, 'minus', y);
  const { first, count } = reducedAxes(operation, x, options);
  const before = x.shape.slice(0, first);
  const reduced = x.shape.slice(first, first + count);
  const after = x.shape.slice(first + count);
  const middle = options.keepAxis ? reduced.map(() => 1) : [];
  const dtype = options.outDtype ?? (x.dtype as DType as E);
  const out = empty(device, [...before, ...middle, ...after], dtype);
  if (out.size === 0) return out;
  const shape = [sizeOf(before), sizeOf(reduced), sizeOf(after)];
  const folded = (tensor: Tensor, axes: number[]): NativeTensor => ({
    ...tensor.native,
    shape: axes,
    strides: contiguousStrides(axes),
  });
  native().reduce(device.native, {
    operation: CODES[operation],
    x: folded(x, shape),
    y: y && folded(y, shape),
    out: folded(out, [shape[0]!, shape[2]!]),
  });
  return out;
}

/** The run of neighbouring axes that the options name. */
function reducedAxes(
  operation: string,
  x: Tensor,
  options: ReduceOptions,
): { first: number; count: number } {
  const named = options.axis === undefined ? options.axes : [options.axis];
  if (named === undefined) return { first: 0, count: x.rank };
  const axes = named.map((axis) => resolveAxis(operation, axis, x.rank)).sort((a, b) => a - b);
  const first = axes[0] ?? 0;
  if (!axes.every((axis, index) => axis === first + index)) {
    const got = `${formatShape(named)} of ${formatTensor(x)}`;
    throw mismatch('ERR_UNSUPPORTED', operation, 'axes', 'distinct neighbouring axes', got);
  }
  return { first, count: axes.length };
}

/**
 * Sum over axes. Accumulates in f32 or wider in an order that depends only on the shape; so does every
 * function of this file.
 *
 * @param x - contiguous, any float dtype.
 */
export function sum<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('sum', x, options);
}

/** Arithmetic mean over axes. */
export function mean<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('mean', x, options);
}

/** Mean of `|x - minus|` over axes, or of `|x|`; `minus` has the shape and dtype of `x`. */
export function absMean<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  options: ReduceOptions<E> & { readonly minus?: Tensor | undefined } = {},
): Tensor<E> {
  return run('absMean', x, options, options.minus);
}

/** Standard deviation over axes with the divisor `count - 1`. */
export function std<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('std', x, options);
}

/** Largest magnitude over axes. */
export function maxAbs<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('maxAbs', x, options);
}

/** Number of NaN and infinite elements over axes. */
export function countNonFinite(
  x: Tensor,
  options: Omit<ReduceOptions, 'outDtype'> = {},
): Tensor<'f32'> {
  return run('countNonFinite', x, { ...options, outDtype: 'f32' });
}
