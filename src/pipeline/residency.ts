import { hold, scope } from '../tensor/scope.ts';

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

/** What becomes of a network between its uses. */
export type Placement =
  /** Loaded when it is first used, and there until the video is complete. */
  | 'stays'
  /** Loaded whole for each use, and freed after it. */
  | 'goes'
  /** As `goes`, but of its blocks at most two at a time are there besides those that stay. */
  | 'streams';

/** Where the networks of a run are; those that are not named are small, and go. */
export interface Placements {
  readonly textEncoder: Exclude<Placement, 'stays'>;
  readonly transformer: Placement;
  /** How many parts of a transformer that streams are loaded with what is around them: first blocks, then modulations. */
  readonly numResident: number;
  readonly decoder: Exclude<Placement, 'streams'>;
}

/** With room for everything. */
export const ALL_STAY: Placements = {
  ...{ textEncoder: 'goes', transformer: 'stays', numResident: 0, decoder: 'stays' },
};

/**
 * Holds the networks that stay on the device between their uses: also from one video to the next, until
 * {@link Residency.release}. What stays is for the memory plan to say: on the CPU device weights are views of the mapped
 * files and cost no memory of their own.
 */
export class Residency {
  private readonly kept: Map<string, Kept> = new Map();

  /** What the weights of the networks that are here take. */
  get keptBytes(): number {
    return [...this.kept.values()].reduce((sum, kept) => sum + kept.weightBytes, 0);
  }

  /** Whether a network is here to stay. */
  keeps(name: string): boolean {
    return this.kept.has(name);
  }

  /** Lends a network; one that stays is loaded now, unless it is here already. Another variant of it is freed first. */
  async lend<N>(resident: Resident<N>, placement: Placement): Promise<Lender<N>> {
    const { name, variant = '', weightBytes, load } = resident;
    const here = this.kept.get(name);
    if (here?.variant === variant) return (use) => use(here.network as N);
    this.kept.delete(name);
    here?.free();
    if (placement !== 'stays') return (use) => scope(async () => use(await load()));
    const { result, free } = hold(() => scope(load));
    try {
      const network = await result;
      this.kept.set(name, { network, free, variant, weightBytes });
      return (use) => use(network);
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Frees the networks that stayed; nothing of them may be in use. */
  release(): void {
    for (const { free } of this.kept.values()) free();
    this.kept.clear();
  }
}

interface Kept {
  readonly network: unknown;
  readonly variant: string;
  readonly weightBytes: number;
  readonly free: () => void;
}
