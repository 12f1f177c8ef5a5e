import { checkDType, checkTensor } from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { resolveAxis } from '../tensor/shape.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { cast } from './copy.ts';
import { div, exp, sub } from './elementwise.ts';
import { max, sum } from './reduce.ts';

/**
 * `exp(x - max) / sum(exp(x - max))` along an axis, made of five operations in f32 and rounded once. `attention` does
 * this inside, without storing the scores.
 *
 * @param x - any float dtype.
 * @param axis - default: the last one.
 * @returns shape and dtype of `x`; NaN along an axis that holds NaN, infinity or nothing but minus infinity.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_DTYPE`, `ERR_DISPOSED`.
 */
export function softmax<D extends DType>(x: FloatTensor<D>, axis = -1): Tensor<D> {
  checkTensor('softmax', 'x', x);
  checkDType('softmax', 'x', x);
  const options = { axis: resolveAxis('softmax', axis, x.rank), keepAxis: true };
  if (x.size === 0) return x.retain();
  using wide = cast(x, 'f32');
  using largest = max(wide, options);
  using shifted = sub(wide, largest);
  using exponentials = exp(shifted);
  using total = sum(exponentials, options);
  using shares = div(exponentials, total);
  return cast(shares, x.dtype);
}
