import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { ClipTokenizer } from '../../src/tokenizers/clip-tokenizer.ts';
import { LlamaTokenizer } from '../../src/tokenizers/llama-tokenizer.ts';
import { temporaryFolder } from '../tokenizers/temporary-folder.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';
import { DAMAGES, memberDamages } from './damages.ts';

const PROMPTS = [
  'A yellow ring grows and shrinks over a snowy field.',
  "It's 12 caf\u00e9s, \u732b & 3/4 \u{1f600}!\n\n<|endoftext|> end <|eot_id|>",
];

type Files = Readonly<Record<string, string>>;
type Encode = (files: Files) => Promise<readonly (readonly number[])[]>;

const encodeLlama: Encode = async (files) => {
  const tokenizer = await LlamaTokenizer.load(await temporaryFolder({ ...files }));
  return PROMPTS.map((prompt) => tokenizer.encode(prompt));
};
const encodeClip: Encode = async (files) => {
  const tokenizer = await ClipTokenizer.load(await temporaryFolder({ ...files }));
  return PROMPTS.map((prompt) => {
    const ids = tokenizer.encode(prompt);
    // What stands behind the end token cannot be seen.
    return ids.slice(0, ids.indexOf(tokenizer.encode('')[1]!) + 1);
  });
};

const read = (folder: string, names: readonly string[]): Files =>
  Object.fromEntries(
    names.map((name) => [
      name,
      readFileSync(repositoryPath(`models/tiny-framepack/${folder}/${name}`), 'utf8'),
    ]),
  );
const LLAMA = read('tokenizer', ['tokenizer.json', 'tokenizer_config.json']);
const CLIP = read('tokenizer_2', [
  ...['vocab.json', 'merges.txt', 'special_tokens_map.json', 'tokenizer_config.json'],
]);
const EVERYTHING = { ...LLAMA, ...CLIP };

/** Damages that neither fail with a code nor leave the ids as they are. */
async function silent(files: Files, name: string, encode: Encode): Promise<string[]> {
  const expected = JSON.stringify(await encode(files));
  const damages: [string, string][] = [
    ...Object.entries(DAMAGES).map(([what, damage]): [string, string] => [
      what,
      damage(files[name]!),
    ]),
    ...Object.entries(EVERYTHING).map(([other, text]): [string, string] => [`as ${other}`, text]),
    ...memberDamages(files[name]!),
  ];
  const wrong: string[] = [];
  for (const [what, text] of damages) {
    try {
      const ids = JSON.stringify(await encode({ ...files, [name]: text }));
      if (ids !== expected) wrong.push(`${name} ${what}: other ids`);
    } catch (error) {
      if (error instanceof FramePackError && error.code === 'ERR_CHECKPOINT') continue;
      wrong.push(`${name} ${what}: ${String(error)}`);
    }
  }
  return wrong;
}

describe('a damaged file of a tokenizer is an error or gives the same ids', () => {
  test.each(Object.keys(LLAMA))('Llama: %s', async (name) => {
    expect(await silent(LLAMA, name, encodeLlama)).toEqual([]);
  });

  test.each(Object.keys(CLIP))('CLIP: %s', async (name) => {
    expect(await silent(CLIP, name, encodeClip)).toEqual([]);
  });
});

test.each(['with a byte order mark', 'with line ends of Windows'])(
  'a text file %s is read',
  async (what) => {
    const changed = Object.fromEntries(
      Object.entries(CLIP).map(([name, text]) => [name, DAMAGES[what]!(text)]),
    );
    expect(await encodeClip(changed)).toEqual(await encodeClip(CLIP));
    const llama = { 'tokenizer.json': DAMAGES[what]!(LLAMA['tokenizer.json']!) };
    expect(await encodeLlama(llama)).toEqual(await encodeLlama(LLAMA));
  },
);
