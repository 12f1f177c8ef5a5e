import { checkDType, checkShape, checkTensor } from '../tensor/check.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { cast } from './copy.ts';
import { add, clamp, mul } from './elementwise.ts';

/** From [-1, 1] to 8 bits: half of the range of a byte. */
const HALF_RANGE = 127.5;

/**
 * Decoded video as 8-bit pictures: clamped to [-1, 1], `v * 127.5 + 127.5` rounded to f32 after each step, truncated. NaN
 * becomes 0.
 *
 * @param clip - `[3, T, H, W]` of any strides, f32, nominally in [-1, 1].
 * @returns `[T, H, W, 3]`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DISPOSED`.
 * @see FramePack `diffusers_helper/utils.py` `save_bcthw_as_mp4` at 97fe5db.
 */
export function toRgb(clip: FloatTensor<'f32'>): Tensor<'u8'> {
  checkTensor('toRgb', 'clip', clip);
  checkDType('toRgb', 'clip', clip, ['f32']);
  checkShape('toRgb', 'clip', clip, [3, null, null, null]);
  using clamped = clamp(clip, -1, 1);
  using scaled = mul(clamped, HALF_RANGE);
  using levels = add(scaled, HALF_RANGE);
  using pixels = levels.permute([1, 2, 3, 0]);
  return cast(pixels, 'u8');
}
