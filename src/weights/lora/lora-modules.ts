import { sizeOf } from '../../tensor/shape.ts';
import type { TensorEntry } from '../files/safetensors-header.ts';
import { MODULE_PREFIXES, type ModuleAlias, ORIGINAL_MODULES } from './lora-names.ts';

/** The tensors of a network by name: what a LoRA is matched with. */
export interface NetworkLayout {
  names(): readonly string[];
  has(name: string): boolean;
  entryOf(name: string): TensorEntry;
}

/** Rows `[begin, end)`. */
export type RowRange = readonly [begin: number, end: number];

/** Where a part of a LoRA's module belongs. */
export interface ModulePlace {
  /** Module of the network, such as `transformer_blocks.0.attn.to_q`. */
  readonly module: string;
  /** The rows of the LoRA's module that it takes, in its own order. */
  readonly rows: readonly RowRange[];
}

/**
 * Finds the modules of a network under the names of every exporter.
 *
 * Kohya's names have underscores for dots, so that nobody can tell where a module ends. All names are looked up with
 * underscores, in a table that is made of the modules that are there.
 */
export class LoraModules {
  private readonly places: ReadonlyMap<string, readonly ModulePlace[]>;

  constructor(network: NetworkLayout) {
    const places = new Map<string, readonly ModulePlace[]>();
    for (const name of network.names()) {
      if (!name.endsWith('.weight')) continue;
      const module = name.slice(0, -'.weight'.length);
      places.set(lookUpName(module), placesIn(network, [module], false));
    }
    for (const alias of ORIGINAL_MODULES) addAlias(places, network, alias);
    this.places = places;
  }

  /** The places of a module as a file names it; undefined when the network has none of that name. */
  find(module: string): readonly ModulePlace[] | undefined {
    return this.places.get(lookUpName(withoutPrefixes(module)));
  }
}

/** A module's name without what trainers put in front of it. */
export function withoutPrefixes(module: string): string {
  const prefix = MODULE_PREFIXES.find((candidate) => module.startsWith(candidate));
  return prefix === undefined ? module : withoutPrefixes(module.slice(prefix.length));
}

/** `[N, K]` of a weight, whatever the number of axes behind its rows. */
export function matrixShape(shape: readonly number[]): readonly [rows: number, columns: number] {
  const [rows = 1, ...rest] = shape;
  return [rows, sizeOf(rest)];
}

function addAlias(
  places: Map<string, readonly ModulePlace[]>,
  network: NetworkLayout,
  { from, to, swapsHalves = false }: ModuleAlias,
): void {
  const isCounted = to[0]!.includes('.N.');
  for (let block = 0; ; block++) {
    const numbered = (name: string): string => name.replace('.N.', `.${block}.`);
    const targets = to.map(numbered);
    if (!targets.every((module) => network.has(`${module}.weight`))) return;
    const found = placesIn(network, targets, swapsHalves);
    for (const name of from) places.set(lookUpName(numbered(name)), found);
    if (!isCounted) return;
  }
}

function placesIn(
  network: NetworkLayout,
  modules: readonly string[],
  swapsHalves: boolean,
): ModulePlace[] {
  let begin = 0;
  return modules.map((module) => {
    const [rows] = matrixShape(network.entryOf(`${module}.weight`).shape);
    const [first, end] = [begin, begin + rows];
    const half = first + rows / 2;
    begin = end;
    return {
      module,
      rows: swapsHalves
        ? [
            [half, end],
            [first, half],
          ]
        : [[first, end]],
    };
  });
}

function lookUpName(module: string): string {
  return module.replaceAll('.', '_');
}
