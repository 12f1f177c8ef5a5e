import {
  checkContiguous,
  checkDType,
  checkList,
  checkOperands,
  checkShape,
  checkTriple,
  checkWhole,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { Triple } from '../tensor/native-types.ts';
import { empty, fromArray, type Tensor } from '../tensor/tensor.ts';

/**
 * Rows of a table.
 *
 * @param table - `[vocabulary, D]` contiguous, any float dtype.
 * @param ids - L row numbers.
 * @param outDtype - default: dtype of the table.
 * @returns `[L, D]`.
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming the first id outside the table.
 */
export function embedding<D extends DType, E extends FloatDType = D & FloatDType>(
  table: Tensor<D>,
  ids: readonly number[] | Int32Array,
  outDtype?: E,
): Tensor<E> {
  const device = checkOperands('embedding', { table });
  checkDType('embedding', 'table', table);
  checkShape('embedding', 'table', table, [null, null]);
  checkContiguous('embedding', 'table', table);
  if (!(ids instanceof Int32Array)) checkList('embedding', 'ids', ids);
  const [vocabulary = 0, width = 0] = table.shape;
  for (let i = 0; i < ids.length; i++) {
    checkWhole('embedding', `ids[${i}]`, ids[i]!, 0, vocabulary - 1);
  }
  const out = empty(device, [ids.length, width], outDtype ?? (table.dtype as DType as E));
  if (out.size === 0) return out;
  using rows = fromArray(device, ids, [ids.length], 'i32');
  native().embedding(device.native, { ids: rows.native, table: table.native, out: out.native });
  return out;
}

/** Factors of {@link upsampleNearest} along T, H and W. */
export type UpsampleFactor = readonly [1 | 2, number, number];

/**
 * Repeats positions of a channels-last volume. With a temporal factor of 2 the first frame is not doubled:
 * `2 T - 1` frames leave, as in a causal video decoder.
 *
 * @param x - `[B, T, H, W, C]` contiguous, any float dtype.
 * @returns `[B, T', H * factor[1], W * factor[2], C]`.
 */
export function upsampleNearest<D extends DType>(x: Tensor<D>, factor: UpsampleFactor): Tensor<D> {
  const device = checkOperands('upsampleNearest', { x });
  checkDType('upsampleNearest', 'x', x);
  checkShape('upsampleNearest', 'x', x, [null, null, null, null, null]);
  checkContiguous('upsampleNearest', 'x', x);
  checkTriple('upsampleNearest', 'factor', factor, 1);
  checkWhole('upsampleNearest', 'factor[0]', factor[0], 1, 2);
  const [batch = 0, frames = 0, height = 0, width = 0, channels = 0] = x.shape;
  const outFrames = factor[0] === 2 ? Math.max(2 * frames - 1, 0) : frames;
  const shape = [batch, outFrames, height * factor[1], width * factor[2], channels];
  const out = empty(device, shape, x.dtype);
  if (out.size > 0) {
    const triple: Triple = factor;
    native().upsample(device.native, { x: x.native, out: out.native, factor: triple });
  }
  return out;
}
