import { describe, expect, it } from 'vitest';
import { parseVaeConfig } from '../../../src/models/vae/config.ts';
import { tinyConfig } from '../tiny-framepack.ts';

const json = tinyConfig('vae');

const EXPECTED = {
  blockChannels: [16, 32, 64, 64],
  layersPerBlock: 1,
  normGroups: 4,
  scalingFactor: 0.493539,
};

const REFUSED = [
  { block_out_channels: [16, 32] },
  { act_fn: 'relu' },
  { temporal_compression_ratio: 8 },
  { scaling_factor: 0 },
];

describe('parseVaeConfig', () => {
  it('reads the config of the tiny checkpoint', () => {
    expect(parseVaeConfig(json)).toMatchObject(EXPECTED);
  });

  it.each(REFUSED)('refuses %o', (change) => {
    expect(() => parseVaeConfig({ ...json, ...change })).toThrow();
  });
});
