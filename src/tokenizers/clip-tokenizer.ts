import path from 'node:path';
import { FramePackError } from '../errors.ts';
import { checkBpeVocabulary } from './bpe-vocabulary.ts';
import { BYTE_LEVEL, type ByteLevelBpe, buildByteLevelBpe } from './byte-level-bpe.ts';
import {
  corruptFile,
  isJsonObject,
  type JsonObject,
  readJsonFile,
  readTextFile,
} from './checkpoint-file.ts';
import { cleanClipText, clipWordPattern, escapeForRegExp } from './clip-cleaning.ts';

const END_OF_WORD = '</w>';

interface SpecialTokens {
  readonly start: string;
  readonly end: string;
  readonly pad: string;
}

/**
 * CLIP tokenizer: lower-casing BPE over `vocab.json` and `merges.txt`, start and end ids around the text,
 * padded to a fixed length.
 *
 * @see transformers 4.57.6 `CLIPTokenizer` (the slow one, without `ftfy`), with which the ids agree exactly.
 */
export class ClipTokenizer {
  /** All ids are below it. */
  readonly numTokens: number;
  readonly #bpe: ByteLevelBpe;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #special: SpecialTokens;
  readonly #specialSplit: RegExp;
  readonly #wordPattern: RegExp;

  private constructor(bpe: ByteLevelBpe, ids: ReadonlyMap<string, number>, special: SpecialTokens) {
    const literals = [special.start, special.end];
    this.numTokens = ids.size;
    this.#bpe = bpe;
    this.#ids = ids;
    this.#special = special;
    this.#specialSplit = new RegExp(`(${literals.map(escapeForRegExp).join('|')})`, 'u');
    this.#wordPattern = clipWordPattern(literals);
  }

  /**
   * Loads `vocab.json`, `merges.txt` and `special_tokens_map.json` from a checkpoint's tokenizer folder.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file that is missing or damaged.
   */
  static async load(folder: string): Promise<ClipTokenizer> {
    const vocabulary = await readJsonFile(folder, 'vocab.json');
    const merges = parseMerges(await readTextFile(folder, 'merges.txt'));
    const tokenMap = await readJsonFile(folder, 'special_tokens_map.json');
    const tokenMapFile = path.join(folder, 'special_tokens_map.json');
    const [start, end, pad, unknown] = ['bos_token', 'eos_token', 'pad_token', 'unk_token'].map(
      (name) => specialToken(tokenMap, name, tokenMapFile),
    ) as [string, string, string, string];
    const file = `${path.join(folder, 'vocab.json')} with merges.txt`;
    const parts = { vocabulary, merges, endOfWord: END_OF_WORD, specials: [start, end] };
    const ids = checkBpeVocabulary(parts, file);
    if (ids.get(end) !== ids.size - 1) {
      throw corruptFile(
        tokenMapFile,
        `expected the last token of the vocabulary for eos_token, got "${end}"`,
      );
    }
    for (const token of [pad, unknown]) {
      if (!ids.has(token))
        throw corruptFile(file, `expected an id for the special token "${token}"`);
    }
    const bpe = buildByteLevelBpe(clipDefinition(vocabulary, merges, unknown), file);
    return new ClipTokenizer(bpe, ids, { start, end, pad });
  }

  /**
   * Token ids of `text`: start id, at most `maxLength - 2` ids of text, end id, padding. The end id always
   * survives a cut.
   *
   * @param maxLength - Number of ids returned, at least 2.
   * @throws {@link FramePackError} `ERR_ARGUMENT` when `maxLength` is not an integer of at least 2.
   */
  encode(text: string, maxLength = 77): number[] {
    if (!Number.isInteger(maxLength) || maxLength < 2) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `ClipTokenizer.encode: maxLength expected an integer of at least 2, got ${maxLength}`,
        { maxLength },
      );
    }
    const ids = [this.#idOf(this.#special.start)];
    for (const word of this.#words(text)) {
      if (ids.length >= maxLength - 1) break;
      for (const id of this.#encodeWord(word)) ids.push(id);
    }
    ids.length = Math.min(ids.length, maxLength - 1);
    ids.push(this.#idOf(this.#special.end));
    const padId = this.#idOf(this.#special.pad);
    while (ids.length < maxLength) ids.push(padId);
    return ids;
  }

  /** Whether {@link ClipTokenizer.encode} keeps the whole text. */
  fits(text: string, maxLength = 77): boolean {
    let numFree = maxLength - 2;
    for (const word of this.#words(text)) {
      numFree -= this.#encodeWord(word).length;
      if (numFree < 0) return false;
    }
    return true;
  }

  #idOf(token: string): number {
    return this.#ids.get(token)!;
  }

  *#words(text: string): Generator<string> {
    for (const part of text.split(this.#specialSplit)) {
      if (this.#isSpecial(part)) {
        yield part;
        continue;
      }
      for (const match of cleanClipText(part).matchAll(this.#wordPattern)) yield match[0];
    }
  }

  #encodeWord(word: string): number[] {
    return this.#isSpecial(word) ? [this.#idOf(word)] : this.#bpe.encode(word).ids;
  }

  #isSpecial(word: string): boolean {
    return word === this.#special.start || word === this.#special.end;
  }
}

/** The lines of merges.txt behind its version comment. */
function parseMerges(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trimEnd());
  return lines.filter(
    (line, index) => line !== '' && !(index === 0 && line.startsWith('#version')),
  );
}

function specialToken(tokenMap: JsonObject, name: string, file: string): string {
  const entry = tokenMap[name];
  const content = isJsonObject(entry) ? entry.content : entry;
  if (typeof content === 'string' && content !== '') return content;
  throw corruptFile(file, `expected a token for "${name}"`);
}

/** CLIP's files in the `tokenizer.json` format; words arrive one by one, already cut and cleaned. */
function clipDefinition(
  vocabulary: JsonObject,
  merges: readonly string[],
  unknownToken: string,
): JsonObject {
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      vocab: vocabulary,
      merges,
      unk_token: unknownToken,
      end_of_word_suffix: END_OF_WORD,
    },
  };
}
