import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConditioningEmbedder } from '../../../src/models/dit/conditioning.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));

describe('ConditioningEmbedder', () => {
  it.each([true, false])('hears guidance only with an embedder for it: %s', async (hasGuidance) => {
    const checkpoint = await tinyWeights(device, 'transformer');
    const vectors = await scope(async () => {
      const textWidth = config.pooledWidth;
      const weights = checkpoint.scope('time_text_embed');
      const embedder = ConditioningEmbedder.load(weights, config, { textWidth, hasGuidance });
      const text = new Generator(1).randn(device, [1, textWidth]);
      const run = (timestep: number, guidance: number): Promise<Float32Array> =>
        embedder.forward(text, timestep, guidance).readFloat32();
      return Promise.all([run(500, 6000), run(500, 9000), run(501, 6000)]);
    });
    expect(vectors[0]).toHaveLength(config.width);
    expect(vectors[0]).not.toEqual(vectors[2]);
    if (hasGuidance) expect(vectors[0]).not.toEqual(vectors[1]);
    else expect(vectors[0]).toEqual(vectors[1]);
  });
});
