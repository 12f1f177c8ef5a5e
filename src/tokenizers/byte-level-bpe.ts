import { Tokenizer } from '@huggingface/tokenizers';
import { corruptFile, isJsonObject, type JsonObject } from './checkpoint-file.ts';

/** Byte-level BPE built from a definition in the `tokenizer.json` format. */
export interface ByteLevelBpe {
  /** Token ids of `text`, with the ids that the definition's post-processor adds. */
  encode(text: string): { readonly ids: number[] };
}

/**
 * The 256 symbols that stand for the bytes 0 to 255 in byte-level vocabularies: printable Latin-1 bytes
 * stand for themselves, the other 68 take U+0100 onwards in increasing order.
 */
const BYTE_SYMBOLS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const isPrintable = (value: number): boolean =>
    (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174;
  if (isPrintable(byte)) return String.fromCodePoint(byte);
  let numUnprintableBefore = 0;
  for (let value = 0; value < byte; value++) if (!isPrintable(value)) numUnprintableBefore++;
  return String.fromCodePoint(256 + numUnprintableBefore);
});

/**
 * Builds the encoder after checking what the library takes for granted: without these checks a damaged
 * file would drop tokens silently.
 *
 * @param definition - Content of a `tokenizer.json`.
 * @param config - Content of the `tokenizer_config.json` beside it.
 * @param file - Path that errors name.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when the definition is not a complete byte-level BPE.
 */
export function buildByteLevelBpe(
  definition: JsonObject,
  config: JsonObject,
  file: string,
): ByteLevelBpe {
  const model = definition.model;
  if (!isJsonObject(model) || model.type !== 'BPE') {
    throw corruptFile(file, 'expected a model of type BPE');
  }
  checkVocabulary(model.vocab, file);
  checkMerges(model.merges, file);
  checkAddedTokens(definition.added_tokens, file);
  try {
    return new Tokenizer(definition, config);
  } catch (cause) {
    throw corruptFile(
      file,
      'expected a tokenizer definition the tokenizer library can read',
      cause,
    );
  }
}

function checkVocabulary(vocabulary: unknown, file: string): void {
  if (!isJsonObject(vocabulary)) throw corruptFile(file, 'expected a vocabulary of token to id');
  for (const symbol of BYTE_SYMBOLS) {
    if (!Number.isInteger(vocabulary[symbol])) {
      throw corruptFile(
        file,
        `expected all 256 byte symbols in the vocabulary, "${symbol}" is missing`,
      );
    }
  }
}

function checkMerges(merges: unknown, file: string): void {
  const isMerge = (merge: unknown): boolean => {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    return Array.isArray(parts) && parts.length === 2 && parts[0] !== '' && parts[1] !== '';
  };
  if (!Array.isArray(merges) || !merges.every(isMerge)) {
    throw corruptFile(file, 'expected a list of merges of two symbols each');
  }
}

function checkAddedTokens(tokens: unknown, file: string): void {
  const isToken = (token: unknown): boolean =>
    isJsonObject(token) && Number.isInteger(token.id) && typeof token.content === 'string';
  if (!Array.isArray(tokens) || !tokens.every(isToken)) {
    throw corruptFile(file, 'expected a list of added tokens with id and content');
  }
}
