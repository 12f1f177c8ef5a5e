import { FramePackError } from '../errors.ts';
import { add, affine, sub } from '../ops/elementwise.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { type UniPcVariant, unipcCoefficients } from './unipc-coefficients.ts';

const MAX_ORDER = 3;

/** What the hook sees after each prediction. */
export interface SamplingStep {
  readonly stepIndex: number;
  readonly numSteps: number;
  /** Noise level of this step. */
  readonly sigma: number;
  /** The clean sample as predicted at this step; valid during the hook. */
  readonly x0: Tensor<'f32'>;
}

/** Noise levels and how to run over them. */
export interface SamplingOptions {
  /** `numSteps + 1` falling levels; the last, 0, is never visited. See `sigmaSchedule`. */
  readonly sigmas: Float32Array;
  /** Default `bh1`. */
  readonly variant?: UniPcVariant;
  /** Checked before every step. */
  readonly signal?: AbortSignal;
  /** Called, and awaited, after every prediction. */
  readonly onStep?: (step: SamplingStep) => void | Promise<void>;
}

/** The corrected sample and the latest predictions, newest first. */
interface SolverState {
  readonly sample: Tensor<'f32'>;
  readonly predictions: readonly Tensor<'f32'>[];
}

/**
 * Samples a clean latent from noise with UniPC: one prediction a step, reused by the corrector; orders 1, 2, 3, 3, ...
 * with no lower order at the end.
 *
 * The result is the prediction of the last step, not the corrected sample; a single step returns the first prediction.
 * Waits for the device after every step, so that an abort takes effect within one.
 *
 * @param noise - `[B, C, T, H, W]`; stays the caller's.
 * @returns `[B, C, T, H, W]`, owned by the current scope. State is f32; coefficients are computed in f64.
 * @throws {@link FramePackError} `ERR_ARGUMENT` without a step; `ERR_ABORTED` when the signal fires; whatever the denoiser throws.
 * @see UniPC, arXiv 2302.04867, algorithms 5 and 6 (multistep predictor and corrector)
 */
export function sampleUniPc(
  denoise: Denoiser,
  noise: Tensor<'f32'>,
  options: SamplingOptions,
): Promise<Tensor<'f32'>> {
  const numSteps = options.sigmas.length - 1;
  if (numSteps < 1) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      'sampleUniPc: sigmas expected at least 2 levels, got fewer',
    );
  }
  return scope(async () => {
    let state: SolverState = { sample: noise.retain(), predictions: [] };
    for (let stepIndex = 0; stepIndex < numSteps; stepIndex++) {
      throwIfAborted(options.signal);
      const next = await scope(() => advance(denoise, state, stepIndex, options));
      releaseUnused(state, next);
      state = next;
      await noise.device.fence();
    }
    return state.predictions[0]!;
  });
}

async function advance(
  denoise: Denoiser,
  state: SolverState,
  stepIndex: number,
  options: SamplingOptions,
): Promise<SolverState> {
  const { sigmas, variant = 'bh1', onStep } = options;
  const numSteps = sigmas.length - 1;
  const sigma = sigmas[stepIndex]!;
  const report = async (x0: Tensor<'f32'>): Promise<void> =>
    onStep?.({ stepIndex, numSteps, sigma, x0 });

  const [newest, ...older] = state.predictions;
  if (newest === undefined) {
    const first = await denoise(state.sample, sigma, stepIndex);
    await report(first);
    return { sample: state.sample, predictions: [first] };
  }
  const levels = state.predictions.map((_, k) => sigmas[stepIndex - 1 - k]!);
  const c = unipcCoefficients(levels, sigma, variant);
  const base = add(affine(state.sample, c.sample, 0), affine(newest, c.prediction, 0));
  const differences = older.map((prediction) => sub(prediction, newest));
  const predicted = addWeighted(base, differences, c.predictor);
  const x0 = await denoise(predicted, sigma, stepIndex);
  await report(x0);
  const corrected = addWeighted(
    base,
    [...differences, sub(x0, newest)],
    [...c.corrector, c.correctorNew],
  );
  const order = Math.min(MAX_ORDER, numSteps - 1);
  return { sample: corrected, predictions: [x0, ...state.predictions].slice(0, order) };
}

function addWeighted(
  start: Tensor<'f32'>,
  terms: readonly Tensor<'f32'>[],
  weights: readonly number[],
): Tensor<'f32'> {
  return terms.reduce((sum, term, k) => add(sum, affine(term, weights[k]!, 0)), start);
}

function releaseUnused(previous: SolverState, next: SolverState): void {
  const live = new Set([next.sample, ...next.predictions]);
  for (const tensor of [previous.sample, ...previous.predictions]) {
    if (!live.has(tensor)) tensor.dispose();
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new FramePackError(
      'ERR_ABORTED',
      'sampleUniPc: signal expected no abort, got one',
      {},
      signal.reason,
    );
  }
}
