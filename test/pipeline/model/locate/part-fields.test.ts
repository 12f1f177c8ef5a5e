import { expect, test } from 'vitest';
import { givenParts, partFlag } from '../../../../src/pipeline/model/locate/part-fields.ts';
import { TINY_MODEL } from '../../../models/tiny-framepack.ts';

test('parts have the options of the command line, tokenizers those of their encoders', () => {
  const parts = ['transformer', 'vae', 'text_encoder', 'text_encoder_2', 'image_encoder'] as const;
  expect(parts.map(partFlag)).toEqual([
    ...['--transformer', '--vae', '--text-encoder', '--clip', '--image-encoder'],
  ]);
  expect([partFlag('tokenizer'), partFlag('tokenizer_2')]).toEqual(['--text-encoder', '--clip']);
});

test('given parts have the names of a model, and are there', () => {
  expect(givenParts({})).toEqual({});
  const parts = { clip: TINY_MODEL, vae: undefined };
  expect(givenParts(parts)).toEqual({ text_encoder_2: TINY_MODEL });
  expect(() => givenParts({ textEncoder: 'none' })).toThrow(
    expect.objectContaining({
      code: 'ERR_CHECKPOINT',
      message: 'checkpoint: --text-encoder expected a file or a folder, got nothing at none',
    }),
  );
});
