import { quote } from '../errors.ts';
import { corruptFile, isJsonObject } from './checkpoint-file.ts';

/**
 * The 256 symbols that stand for bytes in byte-level vocabularies, in the order of their ids: printable Latin-1 bytes
 * stand for themselves, the other 68 take U+0100 onwards.
 */
export const BYTE_SYMBOLS: readonly string[] = byteSymbols();

function byteSymbols(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = bytes.filter(isPrintable);
  const others = bytes.filter((byte) => !isPrintable(byte)).map((_, index) => 256 + index);
  return [...printable, ...others].map((code) => String.fromCodePoint(code));
}

/** Two neighbouring symbols that become one. */
export type Merge = readonly [left: string, right: string];

/** A vocabulary and the merges that make it, still to be checked. */
export interface BpeParts {
  readonly vocabulary: unknown;
  readonly merges: unknown;
  /** Written behind the last symbol of a word, or empty. */
  readonly endOfWord: string;
  /** Tokens of the vocabulary that no merge makes. */
  readonly specials: readonly string[];
}

/**
 * Checks that a vocabulary and its merges are whole and belong together. A tokenizer file that is empty, cut off,
 * replaced by that of another model or by an error page would otherwise change the ids of a prompt without a word.
 *
 * Byte-pair training numbers its tokens: first the bytes, then the result of every merge in its order. So ids run from
 * 0 without a gap, merges are in the order of what they make, and every token is a byte, made by a merge, or special.
 *
 * @param file - what errors name.
 * @returns id of every token.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the first token that breaks a rule.
 * @see Sennrich et al., arXiv 1508.07909; tokenizers `BpeTrainer`, transformers `TikTokenConverter`.
 */
export function checkBpeVocabulary(parts: BpeParts, file: string): ReadonlyMap<string, number> {
  const { endOfWord, specials } = parts;
  const ids = readVocabulary(parts.vocabulary, file);
  const made = new Uint8Array(ids.size);
  for (const [index, symbol] of BYTE_SYMBOLS.entries()) {
    if (ids.get(symbol) !== index) {
      throw corruptFile(file, `expected the id ${index} for the byte symbol "${symbol}"`);
    }
    made[index] = 1;
    const last = ids.get(`${symbol}${endOfWord}`);
    if (last === undefined) throw corruptFile(file, `expected a token "${symbol}${endOfWord}"`);
    made[last] = 1;
  }
  let previous = 0;
  for (const [left, right] of readMerges(parts.merges, file)) {
    const id = ids.get(left + right);
    if (id === undefined || !ids.has(left) || !ids.has(right)) {
      throw corruptFile(file, `expected merges of tokens into a token, got "${left} ${right}"`);
    }
    if (id < previous) {
      throw corruptFile(
        file,
        `expected merges in the order of their tokens, got "${left} ${right}" late`,
      );
    }
    previous = id;
    made[id] = 1;
  }
  for (const special of specials) {
    const id = ids.get(special);
    if (id === undefined || made[id] === 1) {
      throw corruptFile(
        file,
        `expected an id for the special token "${special}" that no merge makes`,
      );
    }
    made[id] = 1;
  }
  checkAllMade(ids, made, file);
  return ids;
}

function checkAllMade(ids: ReadonlyMap<string, number>, made: Uint8Array, file: string): void {
  const missing = made.indexOf(0);
  if (missing < 0) return;
  const [token] = [...ids].find(([, id]) => id === missing)!;
  const count = made.reduce((sum, flag) => sum + (1 - flag), 0);
  throw corruptFile(
    file,
    `expected a merge for every token, got none for ${count} such as "${token}"`,
  );
}

function readVocabulary(vocabulary: unknown, file: string): ReadonlyMap<string, number> {
  if (!isJsonObject(vocabulary)) throw corruptFile(file, 'expected a vocabulary of token to id');
  const ids = new Map<string, number>();
  const tokens = Object.keys(vocabulary);
  const taken = new Uint8Array(tokens.length);
  for (const token of tokens) {
    const id = vocabulary[token];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || taken[id] === 1) {
      throw corruptFile(
        file,
        `expected an id of its own for "${token}", got ${JSON.stringify(id)}`,
      );
    }
    ids.set(token, id);
    if (id < taken.length) taken[id] = 1;
  }
  const gap = taken.indexOf(0);
  if (gap >= 0) throw corruptFile(file, `expected ids without a gap, got none for ${gap}`);
  return ids;
}

function* readMerges(merges: unknown, file: string): Generator<Merge> {
  if (!Array.isArray(merges)) throw corruptFile(file, 'expected a list of merges');
  for (const merge of merges as readonly unknown[]) {
    const pair = typeof merge === 'string' ? splitMerge(merge) : merge;
    if (!isMerge(pair)) {
      throw corruptFile(file, `expected merges of two symbols each, got ${quote(merge)}`);
    }
    yield pair;
  }
}

/** The two symbols of a line; `split` took ten times as long, which shows at 280k merges. */
function splitMerge(line: string): Merge | null {
  const space = line.indexOf(' ');
  return space < 0 || line.includes(' ', space + 1)
    ? null
    : [line.slice(0, space), line.slice(space + 1)];
}

function isMerge(value: unknown): value is Merge {
  return Array.isArray(value) && value.length === 2 && isSymbol(value[0]) && isSymbol(value[1]);
}

function isSymbol(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
