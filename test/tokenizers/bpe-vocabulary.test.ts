import { describe, expect, test } from 'vitest';
import { BYTE_SYMBOLS, checkBpeVocabulary } from '../../src/tokenizers/bpe-vocabulary.ts';

const BYTES = Object.fromEntries(BYTE_SYMBOLS.map((symbol, id) => [symbol, id]));
const VOCABULARY: Record<string, number> = { ...BYTES, th: 256, the: 257, '<end>': 258 };
const MERGES = ['t h', 'th e'];
const check = (vocabulary: unknown, merges: unknown = MERGES) =>
  checkBpeVocabulary({ vocabulary, merges, endOfWord: '', specials: ['<end>'] }, 'v.json');

describe('BYTE_SYMBOLS', () => {
  test('are 256, printable ones first', () => {
    expect(new Set(BYTE_SYMBOLS).size).toBe(256);
    expect([BYTE_SYMBOLS[0], BYTE_SYMBOLS[93], BYTE_SYMBOLS[188]]).toEqual(['!', '~', '\u0100']);
  });
});

describe('checkBpeVocabulary', () => {
  test('gives the ids of a whole vocabulary, merges as text or pairs', () => {
    expect(check(VOCABULARY).get('the')).toBe(257);
    expect(check(VOCABULARY, [['t', 'h'], 'th e']).size).toBe(259);
  });

  test('takes two merges of one token, as a vocabulary without them has', () => {
    const more = { ...VOCABULARY, he: 257, the: 258, '<end>': 259 };
    expect(check(more, ['t h', 'h e', 'th e', 't he']).size).toBe(260);
  });

  test('wants every byte at the end of a word too', () => {
    const suffixed = Object.fromEntries(BYTE_SYMBOLS.map((s, id) => [`${s}</w>`, 256 + id]));
    const parts = { merges: [], endOfWord: '</w>', specials: [] };
    expect(checkBpeVocabulary({ ...parts, vocabulary: { ...BYTES, ...suffixed } }, 'v').size).toBe(
      512,
    );
    expect(() => checkBpeVocabulary({ ...parts, vocabulary: BYTES }, 'v')).toThrow(
      'a token "!</w>"',
    );
  });

  test.each<[string, unknown, unknown, RegExp]>([
    ['a list', [], MERGES, /vocabulary of token to id/],
    ['an id twice', { ...VOCABULARY, the: 256 }, MERGES, /an id of its own for "the", got 256/],
    ['an id that is no number', { ...VOCABULARY, the: '257' }, MERGES, /own for "the", got "257"/],
    ['a gap', { ...VOCABULARY, '<end>': 300 }, MERGES, /without a gap, got none for 258/],
    ['swapped bytes', { ...VOCABULARY, '!': 1, '"': 0 }, MERGES, /id 0 for the byte symbol "!"/],
    ['a missing special', { ...VOCABULARY, '<end>': undefined, '<x>': 258 }, MERGES, /"<end>"/],
    ['no merges', VOCABULARY, [], /a merge for every token, got none for 2 such as "th"/],
    ['half the merges', VOCABULARY, ['t h'], /got none for 1 such as "the"/],
    ['merges of another model', VOCABULARY, ['t h', 'th e', 'i s'], /into a token, got "i s"/],
    ['merges in another order', VOCABULARY, ['th e', 't h'], /"t h" late/],
    ['merges of one symbol', VOCABULARY, ['ab'], /two symbols each, got "ab"/],
    ['merges of three symbols', VOCABULARY, [['a', 'b', 'c']], /two symbols each/],
    ['an error page', VOCABULARY, ['Entry not found'], /two symbols each, got "Entry not found"/],
    ['no list', VOCABULARY, null, /a list of merges/],
  ])('refuses %s', (_, vocabulary, merges, message) => {
    const text = JSON.parse(JSON.stringify(vocabulary)) as unknown;
    expect(() => check(text, merges)).toThrowError(
      expect.objectContaining({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(message) }),
    );
  });
});
