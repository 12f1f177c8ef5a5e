import path from 'node:path';
import { type ByteLevelBpe, buildByteLevelBpe } from './byte-level-bpe.ts';
import { readJsonFile } from './checkpoint-file.ts';

/**
 * Llama 3 tokenizer: byte-level BPE as `tokenizer.json` describes it. Special tokens written in the text
 * become their ids, and the file's post-processor puts the begin-of-text id in front.
 *
 * @see transformers 4.57.6 `PreTrainedTokenizerFast`, with which the ids agree exactly.
 */
export class LlamaTokenizer {
  readonly #bpe: ByteLevelBpe;

  private constructor(bpe: ByteLevelBpe) {
    this.#bpe = bpe;
  }

  /**
   * Loads `tokenizer.json` and `tokenizer_config.json` from a checkpoint's tokenizer folder.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file that is missing or damaged.
   */
  static async load(folder: string): Promise<LlamaTokenizer> {
    const definition = await readJsonFile(folder, 'tokenizer.json');
    const config = await readJsonFile(folder, 'tokenizer_config.json');
    return new LlamaTokenizer(
      buildByteLevelBpe(definition, config, path.join(folder, 'tokenizer.json')),
    );
  }

  /** Token ids of `text`, begin-of-text included, neither padded nor cut. */
  encode(text: string): number[] {
    return this.#bpe.encode(text).ids;
  }
}
