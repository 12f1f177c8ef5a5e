import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildByteLevelBpe } from '../../src/tokenizers/byte-level-bpe.ts';
import { repositoryPath } from './vocabularies.ts';

interface Definition {
  readonly model: { readonly vocab: Record<string, number> };
}

const definition = JSON.parse(
  readFileSync(repositoryPath('models/tiny-framepack/tokenizer/tokenizer.json'), 'utf8'),
) as Definition & Record<string, unknown>;

const build = (changed: object) => buildByteLevelBpe({ ...definition, ...changed }, 'x.json');

describe('buildByteLevelBpe', () => {
  test('every byte has a token of its own', () => {
    const bpe = build({ post_processor: null });
    const ids = bpe.encode('\u00FF\u0000\n \u00AD').ids;
    const token = (symbol: string): number | undefined => definition.model.vocab[symbol];
    expect(ids).toEqual(
      ['\u00C3', '\u00BF', '\u0100', '\u010A', '\u0120', '\u00C2', '\u0143'].map(token),
    );
  });

  test('names the file of a definition that the library cannot read', () => {
    const bpe = build({ pre_tokenizer: { type: 'None such' } });
    expect(() => bpe.encode('a')).toThrowError(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(/x\.json .*can read/u),
        details: { file: 'x.json' },
      }),
    );
  });
});
