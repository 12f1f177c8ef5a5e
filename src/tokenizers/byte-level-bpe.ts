import { Tokenizer } from '@huggingface/tokenizers';
import { corruptFile, type JsonObject } from './checkpoint-file.ts';

/** Byte-level BPE built from a definition in the `tokenizer.json` format. */
export interface ByteLevelBpe {
  /** Token ids of `text`. */
  encode(text: string): { readonly ids: number[] };
}

/** The pre-tokenizer that writes text as byte symbols and cuts nothing. */
export const BYTE_LEVEL: JsonObject = {
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: false,
};

/**
 * The encoder of a definition whose vocabulary has been checked; see `checkBpeVocabulary`. The library takes about a
 * second to read a vocabulary of 128k tokens, so it does so at the first text: checking a model needs no encoder.
 *
 * @param definition - content of a `tokenizer.json`.
 * @param file - path that errors name.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` from `encode` when the library cannot read the definition.
 */
export function buildByteLevelBpe(definition: JsonObject, file: string): ByteLevelBpe {
  let encoder: Tokenizer | null = null;
  return {
    encode: (text) => {
      encoder ??= readDefinition(definition, file);
      return encoder.encode(text);
    },
  };
}

function readDefinition(definition: JsonObject, file: string): Tokenizer {
  try {
    // No `tokenizer_config.json`: what matters of it is in the definition, and the rest would change ids.
    return new Tokenizer(definition, {});
  } catch (cause) {
    throw corruptFile(
      file,
      'expected a tokenizer definition the tokenizer library can read',
      cause,
    );
  }
}
