import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { ClipTokenizer } from '../../src/tokenizers/clip-tokenizer.ts';
import { encodePrompt, type PromptLayout } from '../../src/tokenizers/encode-prompt.ts';
import { LlamaTokenizer } from '../../src/tokenizers/llama-tokenizer.ts';
import { GoldenFile } from '../golden/golden-file.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { llama3Files, repositoryPath } from './vocabularies.ts';

const tinyModel = repositoryPath('models/tiny-framepack');
const checkpoint = JSON.parse(readFileSync(`${tinyModel}/framepack.json`, 'utf8')) as {
  prompt: { template: string; max_length: number; clip_max_length: number };
};
const layout: PromptLayout = {
  template: checkpoint.prompt.template,
  maxLength: checkpoint.prompt.max_length,
};

describe('the tiny checkpoint', () => {
  const goldenFolder = repositoryPath('test/fixtures/golden/e2e');
  const manifest = JSON.parse(readFileSync(`${goldenFolder}/manifest.json`, 'utf8')) as Record<
    string,
    { file: string; prompt: string }
  >;

  test.each(Object.values(manifest))(
    '$file: ids and crop start of the reference run',
    async (run) => {
      const golden = new GoldenFile(`${goldenFolder}/${run.file}`);
      const llama = await LlamaTokenizer.load(`${tinyModel}/tokenizer`);
      const clip = await ClipTokenizer.load(`${tinyModel}/tokenizer_2`);
      const encoded = encodePrompt(llama, run.prompt, layout);
      expect(encoded.ids).toEqual(golden.integers('text.llama_ids'));
      expect(encoded.cropStart).toBe(99);
      // The reference keeps one hidden state per id after the crop.
      expect(encoded.ids.length - encoded.cropStart).toBe(golden.shape('text.llama')[1]);
      expect(clip.encode(run.prompt, checkpoint.prompt.clip_max_length)).toEqual(
        golden.integers('text.clip_ids'),
      );
    },
  );
});

describe('the Llama 3 vocabulary', () => {
  let tokenizer: LlamaTokenizer;
  beforeAll(async () => {
    tokenizer = await LlamaTokenizer.load(await temporaryFolder(await llama3Files()));
  });
  const encode = (prompt: string) => encodePrompt(tokenizer, prompt, layout);

  test('the official prefix has 95 ids and the prompt follows it', () => {
    const { ids, cropStart } = encode(
      'The girl dances gracefully, with clear movements, full of charm.',
    );
    expect(cropStart).toBe(95);
    expect(ids).toHaveLength(109);
    expect(ids.slice(0, 5)).toEqual([128000, 128006, 9125, 128007, 271]);
    expect(ids.slice(94)).toEqual([
      271, 791, 3828, 73806, 79599, 11, 449, 2867, 19567, 11, 2539, 315, 32353, 13, 128009,
    ]);
  });

  test('an empty prompt leaves the closing token', () => {
    const { ids, cropStart, numCut } = encode('');
    expect(numCut).toBe(0);
    expect(ids.slice(cropStart)).toEqual([128009]);
  });

  test('white space at the start merges with the template', () => {
    const { ids, cropStart } = encode('\n\na cat');
    expect(ids[cropStart - 1]).not.toBe(271);
  });

  test('a long prompt is cut at the end, closing token included', () => {
    const { ids, cropStart, numCut } = encode('word '.repeat(5000));
    // The last space is a token of its own.
    expect(numCut).toBe(5001 - 256);
    expect(ids).toHaveLength(351);
    expect(ids.length - cropStart).toBe(256);
    expect(ids).not.toContain(undefined);
    expect(ids.at(-1)).toBe(3492);
  });

  test('replacement patterns in the prompt are text', () => {
    const { ids, cropStart } = encode('$& $1 {}');
    expect(ids.slice(cropStart, -1)).toEqual(tokenizer.encode('\n\n$& $1 {}').slice(2));
  });
});

test.each(['no placeholder', 'two {} of {} them'])('refuses the template %j', (template) => {
  const tokenizer = { encode: (text: string) => [text.length] };
  expect(() => encodePrompt(tokenizer, 'a', { template, maxLength: 8 })).toThrowError(
    expect.objectContaining({ code: 'ERR_CHECKPOINT', details: { template } }),
  );
});
