import { describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { tinyConfig } from '../tiny-framepack.ts';

const json = tinyConfig('transformer');

const EXPECTED = {
  width: 192,
  headWidth: 64,
  numDoubleBlocks: 3,
  numSingleBlocks: 6,
  ropeAxisWidths: [8, 28, 28],
};

const REFUSED = [
  { rope_axes_dim: [8, 28, 30] },
  { patch_size_t: 2 },
  { qk_norm: 'layer_norm' },
  { has_image_proj: false },
];

describe('parseDitConfig', () => {
  it('reads the config of the tiny checkpoint', () => {
    expect(parseDitConfig(json)).toMatchObject(EXPECTED);
  });

  it.each(REFUSED)('refuses %o', (change) => {
    expect(() => parseDitConfig({ ...json, ...change })).toThrow();
  });

  it('has the output channels of the input unless told', () => {
    const { out_channels: _, ...shorter } = json;
    expect(parseDitConfig(shorter).outChannels).toBe(16);
  });
});
