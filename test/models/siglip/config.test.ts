import { describe, expect, it } from 'vitest';
import { parseSiglipVisionConfig } from '../../../src/models/siglip/config.ts';
import { tinyConfig } from '../tiny-framepack.ts';

const json = tinyConfig('image_encoder');

const EXPECTED = { hiddenSize: 96, numHeads: 3, imageSize: 64, patchSize: 16, channels: 3 };

const REFUSED = [{ hidden_act: 'relu' }, { patch_size: 0 }, { image_size: 1.5 }];

describe('parseSiglipVisionConfig', () => {
  it('reads the config of the tiny checkpoint', () => {
    expect(parseSiglipVisionConfig(json)).toMatchObject(EXPECTED);
  });

  it.each(REFUSED)('refuses %o', (change) => {
    expect(() => parseSiglipVisionConfig({ ...json, ...change })).toThrow();
  });
});
