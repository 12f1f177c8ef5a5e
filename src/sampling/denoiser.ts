import { cast } from '../ops/copy.ts';
import { affine, sub } from '../ops/elementwise.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { combineGuidance, rescaleGuidance } from './guidance.ts';
import { roundTo } from './rounding.ts';

/**
 * Predicts the clean sample from a noisy one.
 *
 * @param x - `[B, C, T, H, W]` sample at this noise level.
 * @param sigma - noise level, 1 is pure noise.
 * @returns `[B, C, T, H, W]`, owned by the current scope.
 */
export type Denoiser = (
  x: Tensor<'f32'>,
  sigma: number,
  stepIndex: number,
) => Promise<Tensor<'f32'>>;

/** Which conditioning the network is run with. */
export type GuidanceBranch = 'positive' | 'negative';

/** One evaluation of the network. */
export interface VelocityCall {
  /** `[B, C, T, H, W]` in the dtype of the network. */
  readonly x: Tensor;
  /** Noise level times 1000, as the network's embedding takes it. */
  readonly timestep: number;
  readonly branch: GuidanceBranch;
  readonly stepIndex: number;
}

/** The network: the velocity from clean sample to noise, `[B, C, T, H, W]`. */
export type VelocityModel = (call: VelocityCall) => Promise<Tensor<'f32'>>;

/** How velocities become a prediction. */
export interface DenoiserOptions {
  /** The dtype that the network computes in; the sample and the timestep are rounded to it. */
  readonly dtype: FloatDType;
  /** Scale of classifier-free guidance. At 1 the negative branch is never run. */
  readonly cfg: number;
  /** Share of the guided velocity that gets the spread of the positive one; 0 is off. */
  readonly guidanceRescale: number;
}

/**
 * Wraps a velocity model as a denoiser: `x0 = x - sigma v`, with the x that the network saw, rounded to its dtype.
 *
 * @see upstream diffusers_helper/k_diffusion/wrapper.py at 97fe5db
 */
export function flowDenoiser(model: VelocityModel, options: DenoiserOptions): Denoiser {
  const { dtype, cfg, guidanceRescale } = options;
  return async (sample, sigma, stepIndex) => {
    const x = cast(sample, dtype);
    const timestep = conditioningNumber(sigma, dtype);
    const positive = await model({ x, timestep, branch: 'positive', stepIndex });
    let velocity = positive;
    if (cfg !== 1) {
      const negative = await model({ x, timestep, branch: 'negative', stepIndex });
      velocity = combineGuidance(positive, negative, cfg);
    }
    if (guidanceRescale !== 0) velocity = rescaleGuidance(velocity, positive, guidanceRescale);
    return sub(cast(x, 'f32'), affine(velocity, sigma, 0));
  };
}

/**
 * A noise level or a distilled guidance scale as the network's embedding takes it: times 1000 in f32, then rounded to
 * the dtype of the network. In bf16 a guidance of 10 becomes 9984, in f32 it stays 10000.
 */
export function conditioningNumber(value: number, dtype: FloatDType): number {
  return roundTo(Math.fround(value) * 1000, dtype);
}
