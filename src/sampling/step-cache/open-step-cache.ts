import { FramePackError } from '../../errors.ts';
import { FirstBlockCache } from './first-block-cache.ts';
import { MagCache } from './mag-cache.ts';
import { MAG_CACHE_RULES } from './mag-schedule.ts';
import type { StepCache } from './step-cache.ts';
import { TeaCache } from './tea-cache.ts';

/** The kinds of step caches. */
export type StepCacheKind = 'tea' | 'mag' | 'first-block';

/** A step cache as a request names it. */
export interface StepCacheSettings {
  readonly kind: StepCacheKind;
  /** How much change is overlooked; what the number means depends on the kind. */
  readonly threshold: number;
}

/** Thresholds that are used unless a request has its own: the reference application's, musubi's and ours. */
export const STEP_CACHE_THRESHOLDS: Readonly<Record<StepCacheKind, number>> = {
  tea: 0.15,
  mag: 0.24,
  'first-block': 0.1,
};

/** The defaults of musubi-tuner for FramePack. */
const MAG_DEFAULTS = { maxSkips: 6, retention: 0.2, rule: MAG_CACHE_RULES.musubi } as const;

/**
 * Makes the step cache of one sequence of calls.
 *
 * @param ratios - magnitudes that the checkpoint was calibrated to, for `mag`.
 * @throws {@link FramePackError} `ERR_UNSUPPORTED` for `mag` on a checkpoint without them.
 */
export function openStepCache(
  { kind, threshold }: StepCacheSettings,
  { numSteps, ratios }: { readonly numSteps: number; readonly ratios: readonly number[] | null },
): StepCache {
  if (kind === 'tea') return new TeaCache({ numSteps, threshold });
  if (kind === 'first-block') return new FirstBlockCache({ threshold });
  checkRatios(ratios);
  return new MagCache({ numSteps, threshold, ratios, ...MAG_DEFAULTS });
}

/**
 * @throws {@link FramePackError} `ERR_UNSUPPORTED` when a checkpoint was not calibrated for MagCache.
 */
export function checkRatios(ratios: readonly number[] | null): asserts ratios is readonly number[] {
  if (ratios !== null) return;
  throw new FramePackError(
    'ERR_UNSUPPORTED',
    'generate: stepCache mag expected a checkpoint with mag_ratios, got one without; run framepack calibrate once',
  );
}
