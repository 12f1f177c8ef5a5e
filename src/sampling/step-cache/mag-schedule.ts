/** The rules that public implementations of MagCache differ in. */
export interface MagCacheRule {
  /** How the share of steps that are always computed is rounded to a number of steps. */
  readonly roundRetention: (steps: number) => number;
  /** Whether the last step is always computed. */
  readonly computesLast: boolean;
  /** Largest distance from 1 of the ratio of a step that may be skipped. */
  readonly maxStepError: number;
}

/**
 * The rules of three implementations.
 *
 * @see musubi-tuner 30c658c `hunyuan_video_packed_inference.py`; FramePack-Studio f4369da `mag_cache.py`; diffusers
 *   58eb52c `hooks/mag_cache.py`
 */
export const MAG_CACHE_RULES: Readonly<Record<'musubi' | 'studio' | 'diffusers', MagCacheRule>> = {
  musubi: {
    roundRetention: Math.floor,
    computesLast: true,
    maxStepError: Number.POSITIVE_INFINITY,
  },
  studio: { roundRetention: Math.floor, computesLast: false, maxStepError: 0.06 },
  diffusers: {
    roundRetention: (steps) => Math.floor(steps + 0.5),
    computesLast: false,
    maxStepError: Number.POSITIVE_INFINITY,
  },
};

/** How steps are chosen. */
export interface MagScheduleOptions {
  readonly numSteps: number;
  /** Magnitude of each step's residual relative to the step before, of any number of steps; the nearest are taken. */
  readonly ratios: readonly number[];
  /** Error that may pile up before blocks are computed again. */
  readonly threshold: number;
  /** Most steps that are skipped in a row. */
  readonly maxSkips: number;
  /** Share of the steps at the start that are always computed, 0 to 1. */
  readonly retention: number;
  readonly rule: MagCacheRule;
}

/** What has piled up since the blocks last ran. */
export interface MagError {
  readonly error: number;
  readonly ratio: number;
  readonly numSkips: number;
}

const NOTHING: MagError = { error: 0, ratio: 1, numSkips: 0 };

/**
 * Decides from the magnitudes of residuals alone, which hardly depend on prompt and seed, which steps are skipped.
 *
 * @see MagCache, arXiv 2506.09045
 */
export class MagSchedule {
  private readonly options: MagScheduleOptions;
  private readonly ratios: readonly number[];
  private readonly firstSkippable: number;
  private pending: MagError = NOTHING;

  constructor(options: MagScheduleOptions) {
    const { numSteps, retention, rule } = options;
    this.options = options;
    this.ratios = interpolateRatios(options.ratios, numSteps);
    this.firstSkippable = Math.max(rule.roundRetention(retention * numSteps), 1);
  }

  get accumulated(): MagError {
    return this.pending;
  }

  /** Whether a step is skipped; steps are asked for in order, each once. */
  skips(stepIndex: number): boolean {
    const { threshold, maxSkips } = this.options;
    const { error, ratio, numSkips } = this.withStep(stepIndex);
    const skips = this.maySkip(stepIndex) && error <= threshold && numSkips <= maxSkips;
    this.pending = skips ? { error, ratio, numSkips } : NOTHING;
    return skips;
  }

  private withStep(stepIndex: number): MagError {
    const ratio = this.pending.ratio * this.ratios[stepIndex]!;
    const error = this.pending.error + Math.abs(1 - ratio);
    return { error, ratio, numSkips: this.pending.numSkips + 1 };
  }

  private maySkip(stepIndex: number): boolean {
    const { numSteps, rule } = this.options;
    const isLast = stepIndex === numSteps - 1;
    const stepError = Math.abs(1 - this.ratios[stepIndex]!);
    const isKept = stepIndex < this.firstSkippable || (isLast && rule.computesLast);
    return !isKept && stepError <= rule.maxStepError;
  }
}

/** Ratios of a run with another number of steps: the nearest of the calibrated ones; one step has the last. */
export function interpolateRatios(ratios: readonly number[], numSteps: number): number[] {
  if (numSteps === 1) return [ratios.at(-1)!];
  const scale = (ratios.length - 1) / (numSteps - 1);
  return Array.from({ length: numSteps }, (_, step) => ratios[roundHalfToEven(step * scale)]!);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
