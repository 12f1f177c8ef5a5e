import { describe, expect, test } from 'vitest';
import {
  cleanClipText,
  clipWordPattern,
  escapeForRegExp,
} from '../../src/tokenizers/clip-cleaning.ts';

describe('cleanClipText', () => {
  test.each([
    ['A  Photo\tof\n\na CAT ', 'a photo of a cat'],
    ['zero\u200Bwidth\uFEFF\u0085\u0000\uFFFD', 'zerowidth'],
    ['no\u00A0break\u3000space', 'no break space'],
    ['\u732Bcat\u{20000}', '\u732B cat \u{20000}'],
    ['e\u0301', '\u00E9'],
    ['\u03A3\u0391\u03A3', '\u03C3\u03B1\u03C2'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(cleanClipText(text)).toBe(expected);
  });
});

describe('clipWordPattern', () => {
  const words = (text: string): string[] =>
    [...text.matchAll(clipWordPattern(['<|End|>']))].map((match) => match[0]);

  test('cuts contractions, letters, single digits and runs of the rest', () => {
    expect(words("it's 12 cats!?")).toEqual(['it', "'s", '1', '2', 'cats', '!?']);
  });

  test('matches a special token in lower case, unless punctuation before it swallows its start', () => {
    expect(words('a<|end|>b')).toEqual(['a', '<|end|>', 'b']);
    expect(words('!<|end|>')).toEqual(['!<|', 'end', '|>']);
  });

  test('long s folds to s, a combining iota only separates', () => {
    expect(words("x'\u017F a\u0345b")).toEqual(['x', "'\u017F", 'a', 'b']);
  });
});

test('escapeForRegExp leaves no operator', () => {
  const text = '\\^$.*+?()[]{}|/a';
  expect(new RegExp(`^${escapeForRegExp(text)}$`, 'u').test(text)).toBe(true);
});
