import path from 'node:path';
import { z } from 'zod';
import { checkBpeVocabulary } from './bpe-vocabulary.ts';
import { BYTE_LEVEL, type ByteLevelBpe, buildByteLevelBpe } from './byte-level-bpe.ts';
import { corruptFile, type JsonObject, readJsonFile } from './checkpoint-file.ts';
import { LETTER, NUMBER, WHITE_SPACE } from './unicode-classes.ts';

const BEGIN = '<|begin_of_text|>';
/** Special tokens that a chat template is written in. */
const TEMPLATE_TOKENS = [BEGIN, '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'];

/** How Llama 3 cuts text into words, as its files say it. */
const WORD_PATTERN = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** The same with the classes written out, so that they do not depend on the runtime. */
const PINNED_PATTERN: string = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
  String.raw`[^\r\n${LETTER}${NUMBER}]?[${LETTER}]+`,
  `[${NUMBER}]{1,3}`,
  String.raw` ?[^${WHITE_SPACE}${LETTER}${NUMBER}]+[\r\n]*`,
  String.raw`[${WHITE_SPACE}]*[\r\n]+`,
  `[${WHITE_SPACE}]+(?![^${WHITE_SPACE}])`,
  `[${WHITE_SPACE}]+`,
].join('|');

const no = z.union([z.null(), z.literal(''), z.literal(false)]).optional();

const addedToken = z.object({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.literal(true),
  normalized: z.literal(false),
  single_word: z.literal(false),
  lstrip: z.literal(false),
  rstrip: z.literal(false),
});

/** What has to be so for ids to be those of Llama 3; the vocabulary is checked by itself. */
const schema = z.object({
  normalizer: z.null().optional(),
  pre_tokenizer: z.object({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([
      z.object({
        type: z.literal('Split'),
        pattern: z.object({ Regex: z.literal(WORD_PATTERN) }),
        behavior: z.literal('Isolated'),
        invert: z.literal(false),
      }),
      z.object({
        type: z.literal('ByteLevel'),
        add_prefix_space: z.literal(false),
        use_regex: z.literal(false),
      }),
    ]),
  }),
  model: z.object({
    type: z.literal('BPE'),
    vocab: z.unknown(),
    merges: z.unknown(),
    ignore_merges: z.literal(true),
    dropout: no,
    continuing_subword_prefix: no,
    end_of_word_suffix: no,
    byte_fallback: no,
  }),
  added_tokens: z.array(addedToken),
});

/**
 * Llama 3 tokenizer: byte-level BPE as `tokenizer.json` describes it. Special tokens written in the text
 * become their ids, and the begin-of-text id stands in front.
 *
 * @see transformers 4.57.6 `PreTrainedTokenizerFast`, with which the ids agree exactly.
 */
export class LlamaTokenizer {
  /** All ids are below it. */
  readonly numTokens: number;
  readonly #bpe: ByteLevelBpe;
  readonly #begin: number;

  private constructor(bpe: ByteLevelBpe, begin: number, numTokens: number) {
    this.#bpe = bpe;
    this.#begin = begin;
    this.numTokens = numTokens;
  }

  /**
   * Loads `tokenizer.json` from a checkpoint's tokenizer folder.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file and what is missing or damaged in it.
   */
  static async load(folder: string): Promise<LlamaTokenizer> {
    const file = path.join(folder, 'tokenizer.json');
    const json = await readJsonFile(folder, 'tokenizer.json');
    const definition = checkDefinition(json, file);
    const { vocab: vocabulary, merges } = definition.model;
    const ids = checkBpeVocabulary({ vocabulary, merges, endOfWord: '', specials: [] }, file);
    const added = new Map(definition.added_tokens.map(({ content, id }) => [content, id]));
    checkAddedTokens(added, { first: ids.size, count: definition.added_tokens.length }, file);
    const bpe = buildByteLevelBpe(pinned(json), file);
    return new LlamaTokenizer(bpe, added.get(BEGIN)!, ids.size + added.size);
  }

  /** Token ids of `text`, begin-of-text included, neither padded nor cut. */
  encode(text: string): number[] {
    return [this.#begin, ...this.#bpe.encode(text).ids];
  }
}

function checkDefinition(json: JsonObject, file: string): z.infer<typeof schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw corruptFile(
    file,
    `expected the Llama 3 tokenizer, got ${issue.path.join('.')}: ${issue.message}`,
  );
}

/** Added tokens count on from the vocabulary, each once, and the template's are among them. */
function checkAddedTokens(
  added: ReadonlyMap<string, number>,
  { first, count }: { first: number; count: number },
  file: string,
): void {
  const ids = [...added.values()].sort((a, b) => a - b);
  if (ids.length !== count || ids.some((id, index) => id !== first + index)) {
    throw corruptFile(file, `expected added tokens with ids from ${first} without a gap`);
  }
  const missing = TEMPLATE_TOKENS.find((token) => !added.has(token));
  if (missing !== undefined) throw corruptFile(file, `expected the added token "${missing}"`);
}

/** The definition without what may differ between files of one vocabulary and what depends on the runtime. */
function pinned({ added_tokens, model }: JsonObject): JsonObject {
  const words = {
    type: 'Split',
    pattern: { Regex: PINNED_PATTERN },
    behavior: 'Isolated',
    invert: false,
  };
  return {
    added_tokens,
    model,
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [words, BYTE_LEVEL] },
    post_processor: null,
    decoder: null,
  };
}
