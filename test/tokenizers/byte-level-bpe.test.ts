import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildByteLevelBpe } from '../../src/tokenizers/byte-level-bpe.ts';
import { repositoryPath } from './vocabularies.ts';

interface Definition {
  readonly model: { readonly vocab: Record<string, number>; readonly merges: unknown[] };
  readonly added_tokens: unknown[];
}

const definition = JSON.parse(
  readFileSync(repositoryPath('models/tiny-framepack/tokenizer/tokenizer.json'), 'utf8'),
) as Definition & Record<string, unknown>;

const build = (changed: object) => buildByteLevelBpe({ ...definition, ...changed }, {}, 'x.json');
const withModel = (changed: object) => ({ model: { ...definition.model, ...changed } });

describe('buildByteLevelBpe', () => {
  test('every byte has a token of its own', () => {
    const bpe = build({ post_processor: null });
    const ids = bpe.encode('\u00FF\u0000\n \u00AD').ids;
    const token = (symbol: string): number | undefined => definition.model.vocab[symbol];
    expect(ids).toEqual(
      ['\u00C3', '\u00BF', '\u0100', '\u010A', '\u0120', '\u00C2', '\u0143'].map(token),
    );
  });

  test.each([
    ['no model', { model: undefined }, /model of type BPE/u],
    ['another model', withModel({ type: 'Unigram' }), /model of type BPE/u],
    ['a vocabulary that is a list', withModel({ vocab: [] }), /vocabulary of token to id/u],
    [
      'a vocabulary without a byte',
      withModel({ vocab: { ...definition.model.vocab, '\u0120': undefined } }),
      /"\u0120" is missing/u,
    ],
    ['merges of one symbol', withModel({ merges: ['ab'] }), /merges of two symbols/u],
    ['merges of three symbols', withModel({ merges: [['a', 'b', 'c']] }), /merges of two symbols/u],
    ['no added tokens', { added_tokens: undefined }, /added tokens/u],
    ['an added token without id', { added_tokens: [{ content: 'a' }] }, /added tokens/u],
    ['an unknown pre-tokenizer', { pre_tokenizer: { type: 'None such' } }, /can read/u],
  ])('refuses %s and names the file', (_, changed, message) => {
    expect(() => build(changed)).toThrowError(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(message),
        details: { file: 'x.json' },
      }),
    );
  });
});
