import type { Device } from '../../tensor/device.ts';

/** A size of GPU memory that cards are sold with. */
export interface MemoryTier {
  readonly name: string;
  /** Bytes that tensors may take: what is sold, without a share for the driver, its context and the screen. */
  readonly budgetBytes: number;
}

const GIB = 2 ** 30;
const RESERVED_BYTES = 0.5 * GIB;
// Kernels have working memory that no tensor accounts for.
const WORKSPACE_BYTES = 0.25 * GIB;

/** The sizes of FramePack's users, smallest first; the last stands for everything above. */
export const MEMORY_TIERS: readonly MemoryTier[] = [6, 8, 12, 16, 24, 48].map((size) => ({
  name: size === 48 ? '48+ GB' : `${size} GB`,
  budgetBytes: size * GIB - RESERVED_BYTES,
}));

/** The largest tier that so much free memory makes up, or null below the smallest. */
export function tierOf(freeBytes: number): MemoryTier | null {
  return MEMORY_TIERS.findLast(({ budgetBytes }) => budgetBytes <= freeBytes) ?? null;
}

// Below the smallest tier there is only less.
const SMALLER_SHARE = 0.75;

/** The budget to try after a run that was to take so many bytes did not fit: one tier lower. */
export function lowerBudget(plannedBytes: number): number {
  const tier = MEMORY_TIERS.findLast(({ budgetBytes }) => budgetBytes < plannedBytes);
  return tier?.budgetBytes ?? Math.floor(SMALLER_SHARE * plannedBytes);
}

/** Bytes that tensors may take on a device that nobody has given a budget: what a GPU has free; null for no limit. */
export function budgetOf(device: Device): number | null {
  const { freeBytes } = device.describe();
  return freeBytes === undefined ? null : Math.max(freeBytes - WORKSPACE_BYTES, 1);
}
