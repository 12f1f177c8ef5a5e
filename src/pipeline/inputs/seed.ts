import { randomInt } from 'node:crypto';
import { z } from 'zod';

/** Seeds are unsigned numbers of 64 bits, as `torch.manual_seed` takes them. */
const MAX_SEED = 2n ** 64n - 1n;
/** Noise depends on the low 32 bits of a seed; a drawn one has no others. */
const DRAWN_SEEDS = 2 ** 32;

/**
 * Seed of the noise, 0 to 2^64 - 1; beyond 2^53 - 1 as a bigint. `random` or -1 draws one. Seeds with the same low 32
 * bits make the same noise, as in PyTorch.
 */
export type Seed = number | bigint | 'random';

export const seedSchema: z.ZodType<Seed> = z.union([
  z.int().min(-1),
  z.bigint().min(-1n).max(MAX_SEED),
  z.literal('random'),
]);

/** What a seed may be, for messages. */
export const EXPECTED_SEED: string = `a whole number from 0 to ${MAX_SEED} (as a bigint beyond 2^53 - 1), -1 or "random"`;

/** The seed to use: what was asked for or drawn; a bigint only where a number would not be exact. */
export function resolveSeed(seed: Seed): number | bigint {
  if (seed === 'random' || BigInt(seed) === -1n) return randomInt(DRAWN_SEEDS);
  return seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : BigInt(seed);
}
