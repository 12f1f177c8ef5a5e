import { FramePackError } from '../../errors.ts';

/**
 * Names of the weight files in a folder. Repositories keep the same weights in several types side by side and tell them
 * by a word in the name, as `model.safetensors` and `model.fp16.safetensors`.
 */

const SHARD = String.raw`-\d{5}-of-\d{5}`;
const WORD = '[A-Za-z][A-Za-z0-9_]*';
const WEIGHTS = new RegExp(`^(.+?)(${SHARD})?(?:\\.(${WORD}))?(${SHARD})?\\.safetensors$`);
const INDEX = new RegExp(`^(.+?)\\.safetensors\\.index(?:\\.(${WORD}))?\\.json$`);

/** The files of one set of weights: an index, or all the files without one. */
interface FileSet {
  readonly base: string;
  /** Empty for the plain one. */
  readonly variant: string;
  index: string | null;
  readonly files: string[];
}

/** What to open of a folder. */
export interface ChosenFiles {
  readonly indexes: readonly string[];
  readonly files: readonly string[];
}

/** Variants that the names tell of, sorted. */
export function variantsAmong(names: readonly string[]): string[] {
  const variants = fileSets(names).map(({ variant }) => variant);
  return [...new Set(variants)].filter((variant) => variant !== '').sort();
}

/**
 * Chooses one variant of every set of weights: the wanted one where it is there, else the plain one, else the only one.
 * Hidden files, such as the `._` files that macOS leaves on other systems, are nothing.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when several variants are there and none of them is wanted or plain.
 */
export function chooseFiles(
  names: readonly string[],
  variant: string,
  folder: string,
): ChosenFiles {
  const sets = fileSets(names);
  const bases = [...new Set(sets.map(({ base }) => base))];
  const chosen = bases.map((base) =>
    chooseSet(
      sets.filter((set) => set.base === base),
      variant,
      folder,
    ),
  );
  return {
    indexes: chosen.flatMap(({ index }) => (index === null ? [] : [index])),
    files: chosen.flatMap(({ index, files }) => (index === null ? files : [])),
  };
}

function chooseSet(sets: readonly FileSet[], variant: string, folder: string): FileSet {
  const wanted =
    sets.find((set) => set.variant === variant) ??
    sets.find((set) => set.variant === '') ??
    (sets.length === 1 ? sets[0] : undefined);
  if (wanted !== undefined) return wanted;
  const found = sets.map((set) => set.variant).join(' or ');
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${folder}: variant expected ${found}, got ${variant === '' ? 'none' : variant}`,
    { path: folder, variants: sets.map((set) => set.variant) },
  );
}

function fileSets(names: readonly string[]): FileSet[] {
  const sets = new Map<string, FileSet>();
  const setOf = (base: string, variant = ''): FileSet => {
    const key = JSON.stringify([base, variant]);
    const set = sets.get(key) ?? { base, variant, index: null, files: [] };
    sets.set(key, set);
    return set;
  };
  for (const name of names.filter((name) => !name.startsWith('.')).toSorted()) {
    const index = INDEX.exec(name);
    const weights = WEIGHTS.exec(name);
    if (index !== null) setOf(index[1]!, index[2]).index = name;
    else if (weights !== null) setOf(weights[1]!, weights[3]).files.push(name);
  }
  return [...sets.values()];
}
