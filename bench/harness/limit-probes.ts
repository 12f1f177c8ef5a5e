import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JsonLinesChild } from './json-lines-child.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE = join(ROOT, 'bench', 'limits');
const BUILD = join(ROOT, 'build', 'limits');
const PROBE_MS = 5;

/** Something that framepack_limits can measure. */
export interface Probe {
  readonly name: string;
  /** Empty for memory. */
  readonly isa: string;
  readonly dtype: string;
  readonly unit: 'flop/s' | 'B/s';
}

// Instruction sets by the level of the CPU device that may use them.
const LEVELS: Readonly<Record<string, readonly string[]>> = {
  avx2: ['avx2'],
  avx512: ['avx2', 'avx512'],
  amx: ['avx2', 'avx512', 'amx'],
};
// Types of products whose sums are f32: half precision sums are no substitute.
const PRODUCTS: Readonly<Record<string, readonly string[]>> = {
  f32: ['f32'],
  f16: ['f32'],
  bf16: ['f32', 'bf16'],
};

/** The limits of this machine, measured by a program that waits for requests. */
export class LimitProbes {
  readonly probes: readonly Probe[];
  private readonly child: JsonLinesChild;
  private readonly peaks = new Map<Probe, number>();

  private constructor(child: JsonLinesChild, probes: readonly Probe[]) {
    this.child = child;
    this.probes = probes;
  }

  /** Builds the program where it is not up to date and starts it. @throws an `Error` where CMake cannot. */
  static async start(): Promise<LimitProbes> {
    const quiet = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
    if (!existsSync(join(BUILD, 'CMakeCache.txt'))) {
      execFileSync('cmake', ['-S', SOURCE, '-B', BUILD], quiet);
    }
    execFileSync('cmake', ['--build', BUILD], quiet);
    const child = new JsonLinesChild(join(BUILD, 'framepack_limits'), []);
    const { probes } = (await child.next()) as { probes: Probe[] };
    return new LimitProbes(child, probes);
  }

  /** Rate of `threads` threads together, each with a core of its own while it runs: flop/s or B/s. */
  async measure(probe: Probe, threads: number): Promise<number> {
    const request = `${this.probes.indexOf(probe)} ${threads} ${PROBE_MS}`;
    const { rate } = (await this.child.request(request)) as { rate: number };
    return rate;
  }

  /**
   * The fastest instructions for products of a dtype at a level of the CPU device.
   *
   * @returns undefined at level scalar.
   */
  async registerProbe(isa: string, dtype: string): Promise<Probe | undefined> {
    const sets = LEVELS[isa] ?? [];
    const products = PRODUCTS[dtype] ?? [];
    const candidates = this.probes.filter(
      (probe) => sets.includes(probe.isa) && products.includes(probe.dtype),
    );
    for (const probe of candidates) {
      if (!this.peaks.has(probe)) this.peaks.set(probe, await this.measure(probe, 1));
    }
    return candidates.toSorted((a, b) => this.peaks.get(b)! - this.peaks.get(a)!)[0];
  }

  memoryProbe(): Probe | undefined {
    return this.probes.find((probe) => probe.name === 'read DRAM');
  }

  close(): Promise<void> {
    return this.child.close();
  }
}
