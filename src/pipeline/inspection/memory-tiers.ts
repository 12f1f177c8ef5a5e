import { openModelOnMeta } from '../model/open-model.ts';
import { openRunOf } from '../open-run.ts';
import { rehearse } from '../planning/rehearse.ts';

/** A size of GPU memory that cards are sold with. */
export interface MemoryTier {
  readonly name: string;
  /** Bytes that tensors may take: what is sold, without a share for the driver, its context and the screen. */
  readonly budgetBytes: number;
}

/** The smallest tier that a model runs in. */
export interface FittingTier {
  readonly tier: MemoryTier;
  /** How the decoder must cut its work. */
  readonly tiling: 'temporal' | 'full';
  readonly peakBytes: number;
}

const GIB = 2 ** 30;
const RESERVED_BYTES = 0.5 * GIB;
const FRAMES_PER_LATENT = 4;

/** The sizes of FramePack's users, smallest first; the last stands for everything above. */
export const MEMORY_TIERS: readonly MemoryTier[] = [6, 8, 12, 16, 24, 48].map((size) => ({
  name: size === 48 ? '48+ GB' : `${size} GB`,
  budgetBytes: size * GIB - RESERVED_BYTES,
}));

/** The largest tier that so much free memory makes up, or null below the smallest. */
export function tierOf(freeBytes: number): MemoryTier | null {
  return MEMORY_TIERS.findLast(({ budgetBytes }) => budgetBytes <= freeBytes) ?? null;
}

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
  for (const tier of MEMORY_TIERS) {
    for (const tiling of ['temporal', 'full'] as const) {
      const video = { prompt: '', mode, seconds, steps: 1, tiling };
      await using run = await openRunOf(model, video, () => {});
      const { peakBytes } = await rehearse(run, tier.budgetBytes);
      if (peakBytes <= tier.budgetBytes) return { tier, tiling, peakBytes };
    }
  }
  return null;
}
