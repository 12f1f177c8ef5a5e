import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../../src/models/llama/config.ts';
import { tinyConfig } from '../tiny-framepack.ts';

const json = tinyConfig('text_encoder');

const EXPECTED = {
  hiddenSize: 128,
  numLayers: 4,
  numHeads: 4,
  numKvHeads: 2,
  headWidth: 32,
  ropeTheta: 500_000,
};

const REFUSED = [
  { hidden_size: 0 },
  { attention_bias: true },
  { rope_scaling: { factor: 8 } },
  { hidden_act: 'gelu' },
];

describe('parseLlamaConfig', () => {
  it('reads the config of the tiny checkpoint', () => {
    expect(parseLlamaConfig(json)).toMatchObject(EXPECTED);
  });

  it.each(REFUSED)('refuses %o', (change) => {
    expect(() => parseLlamaConfig({ ...json, ...change })).toThrow();
  });

  it('takes theta and head width from older files too', () => {
    const { rope_parameters: _, head_dim: __, ...older } = json;
    const config = parseLlamaConfig({ ...older, rope_theta: 10_000 });
    expect(config).toMatchObject({ ropeTheta: 10_000, headWidth: 32 });
  });
});
