import { scope } from '../tensor/scope.ts';

/** Gives a network for the time of one call. */
export type Lender<N> = <R>(use: (network: N) => Promise<R>) => Promise<R>;

/** A network, how to load it, and how large its weights are. */
export interface Resident<N> {
  /** Tells networks apart: one of a name is kept at most once. */
  readonly name: string;
  /** What distinguishes its weights from others of the same network, such as LoRAs; empty unless given. */
  readonly variant?: string;
  /** Takes the weights; they belong to the memory scope it is called in. */
  readonly load: () => Promise<N>;
  /** Upper estimate of what the weights take on the device. */
  readonly weightBytes: number;
}

/** Name of the transformer among those that may stay. */
export const TRANSFORMER_NAME = 'transformer';
/** Name of the video decoder among those that may stay. */
export const DECODER_NAME = 'video decoder';

// Share of the byte budget that weights may hold for good; the rest is for activations.
const WEIGHT_SHARE = 0.6;

/**
 * Decides which networks stay on the device between their uses, and holds them: also from one video to the next, until
 * {@link Residency.release}.
 *
 * Without a byte budget everything that alternates (the DiT and the decoder) stays: on the CPU device weights are
 * views of the mapped files and cost no memory of their own. Under a budget a network stays while all that stay fit
 * into {@link WEIGHT_SHARE} of it; the others are loaded for each use and freed after it.
 */
export class Residency {
  private readonly capacity: number;
  private readonly kept: Map<string, Kept> = new Map();

  /** @param budgetBytes - most bytes that tensors may take on the device; null for no limit. */
  constructor(budgetBytes: number | null) {
    this.capacity = budgetBytes === null ? Number.POSITIVE_INFINITY : budgetBytes * WEIGHT_SHARE;
  }

  /** What the weights of the networks that are here take. */
  get keptBytes(): number {
    return [...this.kept.values()].reduce((sum, kept) => sum + kept.weightBytes, 0);
  }

  /** Whether a network is here to stay. */
  keeps(name: string): boolean {
    return this.kept.has(name);
  }

  /** Lends a network; one that may stay is loaded now, unless it is here already. Another variant of it is freed first. */
  async lend<N>(resident: Resident<N>): Promise<Lender<N>> {
    const { name, variant = '', weightBytes, load } = resident;
    const here = this.kept.get(name);
    if (here?.variant === variant) return (use) => use(here.network as N);
    if (here !== undefined) {
      this.kept.delete(name);
      await here.free();
    }
    if (this.keptBytes + weightBytes > this.capacity)
      return (use) => scope(async () => use(await load()));
    const held = await hold(load);
    this.kept.set(name, { ...held, variant, weightBytes });
    return (use) => use(held.network);
  }

  /** Frees the networks that stayed; nothing of them may be in use. */
  async release(): Promise<void> {
    const all = [...this.kept.values()];
    this.kept.clear();
    await Promise.all(all.map(({ free }) => free()));
  }
}

interface Kept {
  readonly network: unknown;
  readonly variant: string;
  readonly weightBytes: number;
  readonly free: () => Promise<void>;
}

/** Loads a network into a memory scope of its own, which stays open until it is freed. */
async function hold<N>(load: () => Promise<N>): Promise<{ network: N; free: () => Promise<void> }> {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let closed: Promise<void> = Promise.resolve();
  const network = await new Promise<N>((resolve, reject) => {
    closed = scope(async () => {
      resolve(await load());
      await ended;
    });
    closed.catch(reject);
  });
  const free = async (): Promise<void> => {
    end();
    await closed;
  };
  return { network, free };
}
