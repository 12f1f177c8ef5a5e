import { beforeAll, describe, expect, test } from 'vitest';
import { ClipTokenizer } from '../../src/tokenizers/clip-tokenizer.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { clipFiles, repositoryPath, tokenizerCases } from './vocabularies.ts';

const START = 49406;
const END = 49407;

describe('the CLIP vocabulary', () => {
  let tokenizer: ClipTokenizer;
  beforeAll(async () => {
    tokenizer = await ClipTokenizer.load(await temporaryFolder(clipFiles()));
  });

  test('gives the ids of the reference tokenizer for every text', async () => {
    const cases = await tokenizerCases();
    expect(cases.length).toBeGreaterThan(100);
    const padded = (ids: readonly number[]): number[] => [
      ...ids,
      ...new Array<number>(77 - ids.length).fill(END),
    ];
    const actual = cases.map(({ prompt }) => ({ prompt, ids: tokenizer.encode(prompt) }));
    expect(actual).toEqual(cases.map(({ prompt, clip }) => ({ prompt, ids: padded(clip) })));
  });

  test('an empty text is start, end and padding', () => {
    expect(tokenizer.encode('', 4)).toEqual([START, END, END, END]);
  });

  test('a cut text keeps its first ids and the end id', () => {
    expect(tokenizer.encode('a photo of a cat', 5)).toEqual([START, 320, 1125, 539, END]);
  });

  test('says whether a text fits, its marks included', () => {
    expect(tokenizer.fits('a photo of a cat', 7)).toBe(true);
    expect(tokenizer.fits('a photo of a cat', 6)).toBe(false);
    expect(tokenizer.fits('', 2)).toBe(true);
    expect(tokenizer.fits('a cat '.repeat(200_000))).toBe(false);
  });

  test('a word that straddles the limit is cut inside', () => {
    const whole = tokenizer.encode('supercalifragilistic', 20);
    expect(tokenizer.encode('supercalifragilistic', 4)).toEqual([...whole.slice(0, 3), END]);
  });

  test('a very long text does not grow the result', () => {
    expect(tokenizer.encode('a cat '.repeat(200_000))).toHaveLength(77);
  });

  test.each([1, 0, -3, 2.5, Number.NaN])('refuses a length of %s', (maxLength) => {
    expect(() => tokenizer.encode('a', maxLength)).toThrowError(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('damaged folders', () => {
  const files = clipFiles();

  test.each(Object.keys(files))('names %s when it is missing', async (name) => {
    const { [name]: _, ...rest } = files;
    await expect(ClipTokenizer.load(await temporaryFolder(rest))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(name),
    });
  });

  test.each([
    ['vocab.json', '{"a": 1', /vocab\.json expected JSON/u],
    ['vocab.json', '{"a": 1}', /expected ids without a gap, got none for 0/u],
    ['merges.txt', '#version: 0.2\nonly-one-symbol\n', /expected merges of two symbols each/u],
    ['special_tokens_map.json', '{"bos_token": 3}', /expected a token for "bos_token"/u],
    ['special_tokens_map.json', '[]', /expected a JSON object/u],
  ])('refuses a damaged %s: %s', async (name, text, message) => {
    const folder = await temporaryFolder({ ...files, [name]: text });
    await expect(ClipTokenizer.load(folder)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(message),
    });
  });

  test("refuses start and end in each other's place", async () => {
    const map = files['special_tokens_map.json']!;
    const swapped = map
      .replace('startoftext', 'x')
      .replaceAll('endoftext', 'startoftext')
      .replace('<|x|>', '<|endoftext|>');
    const folder = await temporaryFolder({ ...files, 'special_tokens_map.json': swapped });
    await expect(ClipTokenizer.load(folder)).rejects.toThrow(
      'expected the last token of the vocabulary for eos_token, got "<|startoftext|>"',
    );
  });

  test('start and end ids come from the files', async () => {
    const tokenizer = await ClipTokenizer.load(repositoryPath('models/tiny-framepack/tokenizer_2'));
    expect(tokenizer.encode('', 3)).toEqual([789, 790, 790]);
    expect(tokenizer.numTokens).toBe(791);
  });
});
