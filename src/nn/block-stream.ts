import { type Held, hold, scope } from '../tensor/scope.ts';

/** Loads a block; its weights belong to the memory scope that it is called in. */
export type BlockLoader<B> = () => B;

/**
 * The blocks of a network of which not all have to be on the device. Those that stay are spread evenly, so that a device
 * that copies beside its work would have as much as possible to hide the loading of the others behind.
 */
export class BlockStream<B> {
  private readonly loaders: readonly BlockLoader<B>[];
  private readonly resident: ReadonlyMap<number, B>;

  private constructor(loaders: readonly BlockLoader<B>[], resident: ReadonlyMap<number, B>) {
    this.loaders = loaders;
    this.resident = resident;
  }

  /** Loads those that stay, all of them unless their number is given. */
  static load<B>(
    loaders: readonly BlockLoader<B>[],
    numResident: number = loaders.length,
  ): BlockStream<B> {
    const share = numResident / loaders.length;
    const stays = (_: unknown, index: number): boolean =>
      Math.floor((index + 1) * share) > Math.floor(index * share);
    const resident = loaders
      .map((load, index) => ({ load, index }))
      .filter(stays)
      .map(({ load, index }) => [index, load()] as const);
    return new BlockStream(loaders, new Map(resident));
  }

  get length(): number {
    return this.loaders.length;
  }

  /** A pass through the blocks, forwards. Whoever asks for it disposes it. */
  walk(): BlockWalk<B> {
    return new BlockWalk(this.loaders, this.resident);
  }
}

/**
 * One pass through a {@link BlockStream}. At most two blocks besides those that stay are on the device: the one that was
 * asked for, and the next one to load. No device of ours loads it while the first runs: the CPU maps files, and the CUDA
 * device copies in the order of its one stream.
 */
export class BlockWalk<B> implements Disposable {
  private readonly loaders: readonly BlockLoader<B>[];
  private readonly resident: ReadonlyMap<number, B>;
  private readonly passing: Map<number, Held<B>> = new Map();

  constructor(loaders: readonly BlockLoader<B>[], resident: ReadonlyMap<number, B>) {
    this.loaders = loaders;
    this.resident = resident;
  }

  /** A block, valid until a later one is asked for; the next one that does not stay begins to load. */
  at(index: number): B {
    const block = this.only(index);
    const next = this.loaders.findIndex((_, other) => other > index && !this.resident.has(other));
    if (next > index) this.load(next);
    return block;
  }

  /** As {@link BlockWalk.at}, for the last that is asked for. */
  only(index: number): B {
    for (const [passed, { free }] of this.passing) {
      if (passed >= index) continue;
      free();
      this.passing.delete(passed);
    }
    return this.resident.get(index) ?? this.load(index);
  }

  [Symbol.dispose](): void {
    for (const { free } of this.passing.values()) free();
    this.passing.clear();
  }

  private load(index: number): B {
    const held = this.passing.get(index) ?? hold(() => scope(this.loaders[index]!));
    this.passing.set(index, held);
    return held.result;
  }
}
