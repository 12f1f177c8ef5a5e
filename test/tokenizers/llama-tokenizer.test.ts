import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { LlamaTokenizer } from '../../src/tokenizers/llama-tokenizer.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { llama3Files, repositoryPath, tokenizerCases } from './vocabularies.ts';

describe('the Llama 3 vocabulary', () => {
  let tokenizer: LlamaTokenizer;
  beforeAll(async () => {
    tokenizer = await LlamaTokenizer.load(await temporaryFolder(await llama3Files()));
  });

  test('gives the ids of the reference tokenizer for every text', async () => {
    const cases = await tokenizerCases();
    expect(cases.length).toBeGreaterThan(100);
    const actual = cases.map(({ prompt }) => ({ prompt, ids: tokenizer.encode(prompt) }));
    expect(actual).toEqual(cases.map(({ prompt, llama }) => ({ prompt, ids: llama })));
  });

  test('letters of a later Unicode than 15.1 are cut as what they were', () => {
    // U+1C89 is a letter since 16.
    const ids = (text: string): number[] => tokenizer.encode(text).slice(1);
    expect(ids('ab\u1C89')).toEqual([...ids('ab'), ...ids('\u1C89')]);
  });

  test('an empty text is the begin-of-text id alone', () => {
    expect(tokenizer.encode('')).toEqual([128000]);
  });

  test('special tokens written in the text become their ids', () => {
    expect(tokenizer.encode('<|eot_id|><image>')).toEqual([128000, 128009, 128257]);
  });

  test('a lone surrogate encodes like U+FFFD', () => {
    expect(tokenizer.encode('a\uD800b')).toEqual(tokenizer.encode('a\uFFFDb'));
  });

  test('a hundred thousand characters without a space are encoded', () => {
    const ids = tokenizer.encode('xq'.repeat(50_000));
    expect(ids.length).toBeGreaterThan(10_000);
    expect(ids.every(Number.isInteger)).toBe(true);
  });
});

describe('damaged folders', () => {
  const folder = repositoryPath('models/tiny-framepack/tokenizer');

  test('a checkpoint folder loads', async () => {
    const tokenizer = await LlamaTokenizer.load(folder);
    expect(tokenizer.encode('').length).toBe(1);
  });

  test('names the missing file', async () => {
    const empty = await temporaryFolder({});
    await expect(LlamaTokenizer.load(empty)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('tokenizer.json'),
    });
  });

  test('needs no configuration beside the definition', async () => {
    const definition = readFileSync(`${folder}/tokenizer.json`, 'utf8');
    const alone = await LlamaTokenizer.load(
      await temporaryFolder({ 'tokenizer.json': definition }),
    );
    expect(alone.numTokens).toBe(565);
    expect(alone.encode('a')).toEqual((await LlamaTokenizer.load(folder)).encode('a'));
  });

  test('refuses a definition that holds no model', async () => {
    const files = { 'tokenizer.json': '{"version":"1.0"}' };
    await expect(LlamaTokenizer.load(await temporaryFolder(files))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(
        /tokenizer\.json expected the Llama 3 tokenizer, got pre_tokenizer/u,
      ),
    });
  });
});
