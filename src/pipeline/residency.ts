import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scope } from '../tensor/scope.ts';

/** Gives a network for the time of one call. */
export type Lender<N> = <R>(use: (network: N) => Promise<R>) => Promise<R>;

/** A network, how to load it, and how large its weights are. */
export interface Resident<N> {
  /** Takes the weights; they belong to the memory scope it is called in. */
  readonly load: () => Promise<N>;
  /** Upper estimate of what the weights take on the device. */
  readonly weightBytes: number;
}

// Share of the byte budget that weights may hold for good; the rest is for activations.
const WEIGHT_SHARE = 0.6;

/**
 * Decides which networks stay on the device between their uses.
 *
 * Without a byte budget everything that alternates (the DiT and the decoder) stays: on the CPU device weights are
 * views of the mapped files and cost no memory of their own. Under a budget a network stays while all that stay fit
 * into {@link WEIGHT_SHARE} of it; the others are loaded for each use and freed after it.
 */
export class Residency {
  private bytesLeft: number;

  /** @param budgetBytes - most bytes that tensors may take on the device; null for no limit. */
  constructor(budgetBytes: number | null) {
    this.bytesLeft = budgetBytes === null ? Number.POSITIVE_INFINITY : budgetBytes * WEIGHT_SHARE;
  }

  /** Lends a network, loading it now, into the current memory scope, if it may stay. */
  async lend<N>(resident: Resident<N>): Promise<Lender<N>> {
    if (resident.weightBytes > this.bytesLeft) {
      return (use) => scope(async () => use(await resident.load()));
    }
    this.bytesLeft -= resident.weightBytes;
    const network = await resident.load();
    return (use) => use(network);
  }
}

/** Size of the safetensors files in a folder. */
export function weightBytesOf(folder: string): number {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.safetensors'))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
