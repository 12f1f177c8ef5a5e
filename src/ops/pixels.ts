import { checkDType, checkShape, checkTensor } from '../tensor/check.ts';
import type { Device } from '../tensor/device.ts';
import { checkShape as checkExtents } from '../tensor/shape.ts';
import { type FloatTensor, fromArray, type Tensor } from '../tensor/tensor.ts';
import { cast, contiguous } from './copy.ts';
import { add, clamp, div, mul } from './elementwise.ts';

/** Half of the range of a byte, between 8 bits and [-1, 1]. */
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

/**
 * A picture as network input: `v / 127.5 - 1`, rounded to f32 after each step.
 *
 * @param rgb - bytes of `[height, width, 3]`.
 * @param size - `[height, width]`.
 * @returns `[1, 3, 1, height, width]` f32 in [-1, 1], contiguous.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_ARGUMENT`.
 */
export function fromRgb(
  device: Device,
  rgb: Uint8Array,
  size: readonly [number, number],
): Tensor<'f32'> {
  checkExtents('fromRgb', size);
  const [height, width] = size;
  using bytes = fromArray(device, rgb, [1, 1, height, width, 3], 'u8');
  using planes = bytes.permute([0, 4, 1, 2, 3]);
  using packed = contiguous(planes);
  using levels = cast(packed, 'f32');
  using scaled = div(levels, HALF_RANGE);
  return add(scaled, -1);
}
