import { show } from '../errors.ts';
import {
  checkDType,
  checkObject,
  checkOperands,
  checkShape,
  checkTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { formatShape, resolveAxis } from '../tensor/shape.ts';
import { empty, type FloatTensor, type Tensor } from '../tensor/tensor.ts';
import { packAround, packTogether } from './axes.ts';

/** The values of `enum class ReduceOp` in kernels/reduce/reduce_args.h. */
const CODES = {
  sum: 0,
  mean: 1,
  absMean: 2,
  std: 3,
  maxAbs: 4,
  countNonFinite: 5,
  max: 6,
  min: 7,
} as const;

type Operation = keyof typeof CODES;

/** Options of every reduction. Without `axis` and `axes` all axes are reduced. */
export interface ReduceOptions<E extends FloatDType = FloatDType> {
  readonly axis?: number | undefined;
  /** Distinct axes, in any order. */
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
  checkTensor(operation, 'x', x);
  const device = checkOperands(operation, { x }, { minus: y });
  checkDType(operation, 'x', x);
  checkDType(operation, 'minus', y, [x.dtype]);
  checkShape(operation, 'minus', y, x.shape);
  const axes = reducedAxes(operation, x, options);
  const dtype = options.outDtype ?? (x.dtype as DType as E);
  const shape = x.shape.flatMap((extent, axis) =>
    axes.includes(axis) ? (options.keepAxis ? [1] : []) : [extent],
  );
  const out = empty(device, shape, dtype);
  if (out.size === 0) return out;
  using packed = y === undefined ? packAround(x, axes) : packTogether(x, axes);
  using subtrahend = y && packTogether(y, axes);
  const [outer = 1, , inner = 1] = packed.view.shape;
  native().reduce(device.native, {
    operation: CODES[operation],
    x: packed.view,
    y: subtrahend?.view,
    out: { ...out.native, shape: [outer, inner], strides: [inner, 1] },
  });
  return out;
}

/** The axes that the options name, in order. */
function reducedAxes(operation: string, x: Tensor, options: ReduceOptions): number[] {
  checkObject(operation, 'options', options);
  const named = options.axis === undefined ? options.axes : [options.axis];
  if (named === undefined) return x.shape.map((_, axis) => axis);
  if (!Array.isArray(named)) {
    throw mismatch('ERR_ARGUMENT', operation, 'axes', 'an array of axes', show(named));
  }
  const axes = named.map((axis: number) => resolveAxis(operation, axis, x.rank));
  if (new Set(axes).size !== axes.length) {
    throw mismatch('ERR_ARGUMENT', operation, 'axes', 'distinct axes', formatShape(named));
  }
  return axes.sort((a, b) => a - b);
}

/**
 * Sum over axes. Accumulates in f32 or wider in an order that depends only on the shape; so does every
 * function of this file. Views are read where they lie when the reduced axes are neighbours in memory, else packed
 * into a copy first.
 *
 * @param x - any float dtype; every integer sum would be rounded, so integers are refused.
 */
export function sum<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('sum', x, options);
}

/** Arithmetic mean over axes. */
export function mean<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('mean', x, options);
}

/** Mean of `|x - minus|` over axes, or of `|x|`; `minus` has the shape and dtype of `x`. */
export function absMean<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> & { readonly minus?: Tensor | undefined } = {},
): Tensor<E> {
  checkObject('absMean', 'options', options);
  return run('absMean', x, options, options.minus);
}

/** Standard deviation over axes with the divisor `count - 1`. */
export function std<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('std', x, options);
}

/** Largest magnitude over axes. */
export function maxAbs<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return run('maxAbs', x, options);
}

/** Largest element over axes, NaN if one is. `maximum` compares two tensors. */
export function max<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return runFilled('max', x, options);
}

/** Smallest element over axes, NaN if one is. `minimum` compares two tensors. */
export function min<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  options: ReduceOptions<E> = {},
): Tensor<E> {
  return runFilled('min', x, options);
}

/** A reduction that has no result for no elements. */
function runFilled<D extends DType, E extends FloatDType>(
  operation: Operation,
  x: Tensor<D>,
  options: ReduceOptions<E>,
): Tensor<E> {
  checkTensor(operation, 'x', x);
  if (reducedAxes(operation, x, options).some((axis) => x.shape[axis] === 0)) {
    const got = formatShape(x.shape);
    throw mismatch('ERR_SHAPE', operation, 'x', 'elements along the reduced axes', got);
  }
  return run(operation, x, options);
}

/** Number of NaN and infinite elements over axes. */
export function countNonFinite(
  x: FloatTensor,
  options: Omit<ReduceOptions, 'outDtype'> = {},
): Tensor<'f32'> {
  return run('countNonFinite', x, { ...options, outDtype: 'f32' });
}
