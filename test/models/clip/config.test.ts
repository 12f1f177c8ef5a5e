import { describe, expect, it } from 'vitest';
import { parseClipTextConfig } from '../../../src/models/clip/config.ts';
import { tinyConfig } from '../tiny-framepack.ts';

const json = tinyConfig('text_encoder_2');

const EXPECTED = {
  hiddenSize: 64,
  numLayers: 2,
  numHeads: 2,
  vocabularySize: 791,
  maxPositions: 77,
};

const REFUSED = [{ hidden_act: 'gelu' }, { num_hidden_layers: -1 }, { vocab_size: 'many' }];

describe('parseClipTextConfig', () => {
  it('reads the config of the tiny checkpoint', () => {
    expect(parseClipTextConfig(json)).toMatchObject(EXPECTED);
  });

  it.each(REFUSED)('refuses %o', (change) => {
    expect(() => parseClipTextConfig({ ...json, ...change })).toThrow();
  });
});
