import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LETTER, NUMBER, OTHER, SPACE, WHITE_SPACE } from '../../src/tokenizers/unicode-classes.ts';
import { repositoryPath } from './vocabularies.ts';

const has = (body: string, codePoint: number): boolean =>
  new RegExp(`^[${body}]$`, 'u').test(String.fromCodePoint(codePoint));

describe('classes of Unicode 15.1', () => {
  test.each([
    ['a letter of 15.1', LETTER, 0x2ebf0, true],
    ['a letter of 16', LETTER, 0x1c89, false],
    ['a letter of 16, unassigned before', OTHER, 0x1c89, true],
    ['a digit of 16', NUMBER, 0x10d40, false],
    ['a digit', NUMBER, 0x0663, true],
    ['a surrogate', OTHER, 0xd800, true],
    ['a format character', OTHER, 0x200d, true],
    ['a no-break space', SPACE, 0xa0, true],
    ['a line end', SPACE, 0x0a, false],
    ['a line end as white space', WHITE_SPACE, 0x85, true],
    ['no white space', WHITE_SPACE, 0xfeff, false],
  ])('%s', (_, body, codePoint, expected) => {
    expect(has(body, codePoint)).toBe(expected);
  });

  test('composition and lower case of what is assigned stay within what is assigned', () => {
    const other = new RegExp(`[${OTHER}]`, 'u');
    const strays: number[] = [];
    for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
      const text = String.fromCodePoint(codePoint);
      if (other.test(text)) continue;
      if (other.test(text.toLowerCase() + text.normalize('NFC'))) strays.push(codePoint);
    }
    expect(strays).toEqual([]);
  });

  test('no tokenizer asks the tables of the runtime', () => {
    const folder = repositoryPath('src/tokenizers');
    const askers = readdirSync(folder).filter((name) => {
      const code = readFileSync(`${folder}/${name}`, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
      return /\\p\{/i.test(code) && name !== 'llama-tokenizer.ts';
    });
    expect(askers).toEqual([]);
  });
});
