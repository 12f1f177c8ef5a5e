import type { RgbImage } from '../../media/decode-image.ts';
import type { PreviewMatrix } from '../../weights/checkpoint-info.ts';

/**
 * A cheap picture of latents: one linear map from latent channels to RGB, no decoder. Frames lie side by side.
 *
 * @param latents - `[C, T, H, W]` scaled latents, as the DiT knows them.
 * @param shape - C, T, H, W.
 * @see FramePack `vae_decode_fake` (diffusers_helper/hunyuan.py at 97fe5db)
 */
export function previewLatents(
  latents: Float32Array,
  shape: readonly [number, number, number, number],
  map: PreviewMatrix,
): RgbImage {
  const [channels, frames, height, width] = shape;
  const numPositions = frames * height * width;
  const rgb = new Uint8Array(numPositions * 3);
  const { low, high } = map.range;
  for (let position = 0; position < numPositions; position++) {
    const frame = Math.floor(position / (height * width));
    const row = Math.floor(position / width) % height;
    const target = (row * frames * width + frame * width + (position % width)) * 3;
    for (let color = 0; color < 3; color++) {
      let value = map.bias[color]!;
      for (let channel = 0; channel < channels; channel++) {
        value += map.weights[channel]![color]! * latents[channel * numPositions + position]!;
      }
      const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
      rgb[target + color] = Math.trunc(share * 255);
    }
  }
  return { width: frames * width, height, data: rgb };
}
