import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BICUBIC, LANCZOS, resample } from '../../../src/media/resample.ts';
import { ClipTokenizer } from '../../../src/tokenizers/clip-tokenizer.ts';
import { LlamaTokenizer } from '../../../src/tokenizers/llama-tokenizer.ts';
import { clipFiles, llama3Files } from '../../tokenizers/vocabularies.ts';
import type { GoldenContext } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';

/** File of prompts and ids, made with the published Llama 3 and CLIP vocabularies. */
export const TOKENIZER_FILE = 'tokenizers.golden.json';

interface TokenizedPrompt {
  readonly p: string;
  readonly llama: readonly number[];
  readonly clip: readonly number[];
}

/** Ids of every prompt, exactly. */
export async function runTokenizerCases(context: GoldenContext): Promise<void> {
  const text = readFileSync(join(context.folder, TOKENIZER_FILE), 'utf8');
  const prompts = JSON.parse(text) as readonly TokenizedPrompt[];
  const llama = await fromFiles(await llama3Files(), (folder) => LlamaTokenizer.load(folder));
  const clip = await fromFiles(clipFiles(), (folder) => ClipTokenizer.load(folder));
  for (const [index, { p: prompt, llama: llamaIds, clip: clipIds }] of prompts.entries()) {
    const name = `tokenizers ${index}`;
    context.report.exact(name, 'llama', { actual: llama.encode(prompt), expected: llamaIds });
    context.report.exact(name, 'clip', { actual: clip.encode(prompt), expected: clipIds });
  }
}

async function fromFiles<T>(
  files: Readonly<Record<string, string>>,
  load: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-golden-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return await load(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `N.in` resized to the extents of `N.bicubic` and `N.lanczos`, byte by byte. */
export function runResampleCases(context: GoldenContext): void {
  const golden = new GoldenFile(join(context.folder, 'resample.golden.safetensors'));
  const filters = { bicubic: BICUBIC, lanczos: LANCZOS };
  for (const input of golden.names.filter((name) => name.endsWith('.in'))) {
    const name = input.slice(0, -'.in'.length);
    const [height, width] = golden.shape(input) as [number, number];
    const image = { width, height, data: golden.bytes(input, 'U8') };
    for (const [filter, kernel] of Object.entries(filters)) {
      const key = `${name}.${filter}`;
      const [outHeight, outWidth] = golden.shape(key) as [number, number];
      const actual = resample(image, outWidth, outHeight, kernel).data;
      context.report.exact(`resample ${name}`, filter, {
        actual,
        expected: golden.bytes(key, 'U8'),
      });
    }
  }
}
