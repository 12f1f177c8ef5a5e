import { add, affine, div, mul, sub } from '../ops/elementwise.ts';
import { std } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Classifier-free guidance: `negative + scale (positive - negative)`.
 *
 * @param positive - `[B, C, T, H, W]`.
 * @param negative - `[B, C, T, H, W]`.
 * @returns `[B, C, T, H, W]`, owned by the current scope.
 * @see Classifier-free diffusion guidance, arXiv 2207.12598
 */
export function combineGuidance(
  positive: Tensor<'f32'>,
  negative: Tensor<'f32'>,
  scale: number,
): Tensor<'f32'> {
  return add(negative, affine(sub(positive, negative), scale, 0));
}

/**
 * Pulls the spread of a guided velocity back to that of the positive one:
 * `share guided std(positive) / std(guided) + (1 - share) guided`, per sample, unbiased deviations.
 *
 * @param guided - `[B, C, T, H, W]`.
 * @param positive - `[B, C, T, H, W]`.
 * @param share - 0 returns `guided`, 1 the fully rescaled one.
 * @see Common diffusion noise schedules and sample steps are flawed, arXiv 2305.08891, section 3.4
 */
export function rescaleGuidance(
  guided: Tensor<'f32'>,
  positive: Tensor<'f32'>,
  share: number,
): Tensor<'f32'> {
  const ratio = div(deviation(positive), deviation(guided));
  return mul(guided, affine(ratio, share, 1 - share));
}

/** `[B, 1, 1, 1, 1]`. */
function deviation(x: Tensor<'f32'>): Tensor<'f32'> {
  const [numSamples] = x.shape as [number];
  const perSample = std(x.reshape([numSamples, -1]), { axis: 1 });
  return perSample.reshape([numSamples, ...Array<number>(x.rank - 1).fill(1)]);
}
