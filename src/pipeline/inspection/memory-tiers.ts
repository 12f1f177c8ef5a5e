import type { MemoryPlan } from '../events.ts';
import { openModelOnMeta } from '../model/open-model.ts';
import { openRunOf } from '../open-run.ts';
import { MEMORY_TIERS, type MemoryTier } from '../planning/memory-budget.ts';
import { planWithin } from '../planning/plan-memory.ts';

/** The smallest tier that a model runs in. */
export interface FittingTier {
  readonly tier: MemoryTier;
  readonly memory: MemoryPlan;
  readonly peakBytes: number;
}

const FRAMES_PER_LATENT = 4;

/**
 * Looks for the smallest tier in which a GPU makes a video of a model's first size: two sections, which need as much as
 * any number of them. Reads headers only and needs no GPU.
 *
 * @returns null when not even the largest suffices.
 * @throws {@link FramePackError} `ERR_CHECKPOINT`.
 */
export async function fittingTier(path: string): Promise<FittingTier | null> {
  await using model = await openModelOnMeta({ model: path }, 'cuda');
  const { latentWindowSize, fps, defaults, modes } = model.info;
  const mode = defaults.mode ?? modes[0];
  const seconds = (2 * FRAMES_PER_LATENT * latentWindowSize) / fps;
  await using run = await openRunOf(model, { prompt: '', mode, seconds, steps: 1 }, () => {});
  for (const tier of MEMORY_TIERS) {
    const { fits, memory, rehearsal } = await planWithin(run, tier.budgetBytes);
    if (fits) return { tier, memory, peakBytes: rehearsal.peakBytes };
  }
  return null;
}
