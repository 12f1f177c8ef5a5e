import {
  checkChoice,
  checkDType,
  checkObject,
  checkTensor,
  checkWhole,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { formatShape, resolveAxis, sizeOf } from '../tensor/shape.ts';
import { empty, type FloatTensor, type Tensor } from '../tensor/tensor.ts';
import { contiguous } from './copy.ts';

const ORDERS = ['smallest', 'largest'] as const;

/** Which elements {@link topK} takes first. */
export type Order = (typeof ORDERS)[number];

/** A contiguous tensor as `[outer, axis, inner]`. */
function aroundAxis(x: Tensor, axis: number): NativeTensor {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const extent = x.shape[axis]!;
  return { ...x.native, shape: [outer, extent, inner], strides: [extent * inner, inner, 1] };
}

/**
 * Sums of all elements up to each one along an axis. Accumulates in f32 pairs or wider and rounds every element once.
 *
 * @param x - any float dtype.
 * @returns the shape of `x`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_DISPOSED`.
 */
export function cumsum<D extends DType, E extends FloatDType = D & FloatDType>(
  x: FloatTensor<D>,
  axis: number,
  options: { readonly outDtype?: E | undefined } = {},
): Tensor<E> {
  const device = checkTensor('cumsum', 'x', x);
  checkObject('cumsum', 'options', options);
  checkDType('cumsum', 'x', x);
  const index = resolveAxis('cumsum', axis, x.rank);
  const out = empty(device, x.shape, options.outDtype ?? (x.dtype as DType as E));
  if (out.size === 0) return out;
  using packed = contiguous<DType>(x);
  native().cumsum(device.native, { x: aroundAxis(packed, index), out: aroundAxis(out, index) });
  return out;
}

/** Options of {@link topK}. */
export interface TopKOptions {
  /** Default: the last one. */
  readonly axis?: number | undefined;
  /** Default: `largest`. */
  readonly order?: Order | undefined;
}

/** The elements that {@link topK} found, in order, and their positions along the axis. */
export interface TopK<D extends DType = DType> {
  readonly values: Tensor<D>;
  readonly indices: Tensor<'i32'>;
}

/**
 * The `k` largest or smallest elements along an axis, sorted. Equal elements keep their order; NaN counts as larger
 * than every number. A GPU reads the axis `k` times: meant for a small `k`.
 *
 * @param x - any float dtype.
 * @returns the shape of `x` with the extent `k` along the axis, twice.
 * @throws {@link FramePackError} `ERR_ARGUMENT` unless `0 <= k <= extent`, `ERR_DTYPE`, `ERR_DISPOSED`.
 */
export function topK<D extends DType>(
  x: FloatTensor<D>,
  k: number,
  options: TopKOptions = {},
): TopK<D> {
  checkObject('topK', 'options', options);
  return firstElements('topK', x, k, options);
}

function firstElements<D extends DType>(
  operation: string,
  x: Tensor<D>,
  k: number,
  { axis = -1, order = 'largest' }: TopKOptions,
): TopK<D> {
  const device = checkTensor(operation, 'x', x);
  checkDType(operation, 'x', x);
  const index = resolveAxis(operation, axis, x.rank);
  checkWhole(operation, 'k', k, 0, x.shape[index]);
  const isLargest = ORDERS[checkChoice(operation, 'order', order, ORDERS)] === 'largest';
  const shape = x.shape.with(index, k);
  const values = empty(device, shape, x.dtype);
  const indices = empty(device, shape, 'i32');
  if (values.size === 0) return { values, indices };
  using packed = contiguous<DType>(x);
  native().topK(device.native, {
    x: aroundAxis(packed, index),
    values: aroundAxis(values, index),
    indices: aroundAxis(indices, index),
    isLargest,
  });
  return { values, indices };
}

/** Options of {@link argmax} and {@link argmin}. */
export interface ArgOptions {
  /** Without it the elements count in row-major order. */
  readonly axis?: number | undefined;
  /** Leave the axis in place with extent 1. */
  readonly keepAxis?: boolean | undefined;
}

/** Position of the largest element, the first one of equals; of a NaN, if there is one. */
export function argmax<D extends DType>(
  x: FloatTensor<D>,
  options: ArgOptions = {},
): Tensor<'i32'> {
  checkObject('argmax', 'options', options);
  return position('argmax', x, 'largest', options);
}

/** Position of the smallest element, the first one of equals; NaN counts as larger than every number. */
export function argmin<D extends DType>(
  x: FloatTensor<D>,
  options: ArgOptions = {},
): Tensor<'i32'> {
  checkObject('argmin', 'options', options);
  return position('argmin', x, 'smallest', options);
}

function position(
  operation: string,
  x: Tensor,
  order: Order,
  { axis, keepAxis = false }: ArgOptions,
): Tensor<'i32'> {
  checkTensor(operation, 'x', x);
  if (axis === undefined) {
    using packed = contiguous(x);
    using flat = packed.reshape([x.size]);
    using found = position(operation, flat, order, { axis: 0 });
    return found.reshape(keepAxis ? x.shape.map(() => 1) : []);
  }
  const index = resolveAxis(operation, axis, x.rank);
  if (x.shape[index] === 0) {
    const got = formatShape(x.shape);
    throw mismatch('ERR_SHAPE', operation, 'x', `elements along axis ${index}`, got);
  }
  const { values, indices } = firstElements(operation, x, 1, { axis: index, order });
  values.dispose();
  if (keepAxis) return indices;
  using found = indices;
  return found.squeeze(index);
}
