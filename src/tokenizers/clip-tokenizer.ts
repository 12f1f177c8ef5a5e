import path from 'node:path';
import { FramePackError } from '../errors.ts';
import { type ByteLevelBpe, buildByteLevelBpe } from './byte-level-bpe.ts';
import {
  corruptFile,
  isJsonObject,
  type JsonObject,
  readJsonFile,
  readTextFile,
} from './checkpoint-file.ts';
import { cleanClipText, clipWordPattern, escapeForRegExp } from './clip-cleaning.ts';

interface SpecialTokens {
  readonly start: string;
  readonly end: string;
  readonly pad: string;
  readonly unknown: string;
}

/**
 * CLIP tokenizer: lower-casing BPE over `vocab.json` and `merges.txt`, start and end ids around the text,
 * padded to a fixed length.
 *
 * @see transformers 4.57.6 `CLIPTokenizer` (the slow one, without `ftfy`), with which the ids agree exactly.
 */
export class ClipTokenizer {
  readonly #bpe: ByteLevelBpe;
  readonly #idOf: (token: string) => number;
  readonly #special: SpecialTokens;
  readonly #specialSplit: RegExp;
  readonly #wordPattern: RegExp;

  private constructor(bpe: ByteLevelBpe, idOf: (token: string) => number, special: SpecialTokens) {
    const literals = [special.start, special.end];
    this.#bpe = bpe;
    this.#idOf = idOf;
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
    const special: SpecialTokens = {
      start: specialToken(tokenMap, 'bos_token', tokenMapFile),
      end: specialToken(tokenMap, 'eos_token', tokenMapFile),
      pad: specialToken(tokenMap, 'pad_token', tokenMapFile),
      unknown: specialToken(tokenMap, 'unk_token', tokenMapFile),
    };
    const vocabularyFile = path.join(folder, 'vocab.json');
    const idOf = (token: string): number => {
      const id = vocabulary[token];
      if (typeof id === 'number') return id;
      throw corruptFile(vocabularyFile, `expected an id for the special token "${token}"`);
    };
    for (const token of Object.values(special)) idOf(token);
    const definition = clipDefinition(vocabulary, merges, special.unknown);
    const bpe = buildByteLevelBpe(definition, {}, `${vocabularyFile} with merges.txt`);
    return new ClipTokenizer(bpe, idOf, special);
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

// The first line of merges.txt is a version comment.
function parseMerges(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
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
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: false,
      trim_offsets: true,
      use_regex: false,
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      vocab: vocabulary,
      merges,
      unk_token: unknownToken,
      end_of_word_suffix: '</w>',
    },
  };
}
