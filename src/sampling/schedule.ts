import { FramePackError } from '../errors.ts';

/** Shift of the schedule when the sequence is long; the clamp of the official app. */
const MAX_SHIFT = 7;

// The line of the Flux rule, through (256 tokens, 0.5) and (4096 tokens, 1.15).
const MU_SLOPE = (1.15 - 0.5) / (4096 - 256);
const MU_OFFSET = 0.5 - 256 * MU_SLOPE;

/**
 * How far the noise levels lean towards noise for a section of this size: the Flux rule, a line in the number of 2x2
 * tokens, at most ln 7. The line itself has no lower bound.
 *
 * @param numFrames - latent frames of the section.
 * @param height - latent height.
 * @param width - latent width.
 * @returns mu, the logarithm of the shift.
 * @see upstream diffusers_helper/pipelines/k_diffusion_hunyuan.py at 97fe5db
 */
export function flowShiftMu(numFrames: number, height: number, width: number): number {
  const numTokens = Math.floor((numFrames * height * width) / 4);
  return Math.min(MU_SLOPE * numTokens + MU_OFFSET, Math.log(MAX_SHIFT));
}

/**
 * Noise levels of a run: `numSteps + 1` falling values from 1 to 0, `e^mu / (e^mu + 1/u - 1)` with u from 1 to 0.
 *
 * Computed in f32, operation by operation, as the official sampler does, since the network sees these numbers.
 *
 * @param mu - logarithm of the shift; {@link flowShiftMu}, or `Math.log(shift)` of a shift that the user chose.
 * @throws {@link FramePackError} `ERR_ARGUMENT` unless `numSteps` is a positive integer and `mu` finite.
 */
export function sigmaSchedule(numSteps: number, mu: number): Float32Array {
  if (!Number.isInteger(numSteps) || numSteps < 1 || !Number.isFinite(mu)) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `sigmaSchedule: numSteps and mu expected a positive integer and a finite number, got ${numSteps}, ${mu}`,
      { numSteps, mu },
    );
  }
  const shift = Math.fround(Math.exp(mu));
  return Float32Array.from({ length: numSteps + 1 }, (_, i) => {
    const excess = Math.fround(Math.fround(1 / descending(i, numSteps)) - 1);
    return shift / Math.fround(shift + excess);
  });
}

/** Element i of f32 values from 1 to 0 in equal steps, each half counted from its own end. */
function descending(i: number, numSteps: number): number {
  const step = Math.fround(-1 / numSteps);
  return i < (numSteps + 1) / 2
    ? Math.fround(1 + Math.fround(step * i))
    : Math.fround(-step * (numSteps - i));
}
