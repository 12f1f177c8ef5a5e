import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClipText } from '../../src/models/clip/clip-text.ts';
import { parseClipTextConfig } from '../../src/models/clip/config.ts';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import { Dit } from '../../src/models/dit/dit.ts';
import { parseLlamaConfig } from '../../src/models/llama/config.ts';
import { Llama } from '../../src/models/llama/llama.ts';
import { parseSiglipVisionConfig } from '../../src/models/siglip/config.ts';
import { SiglipVision } from '../../src/models/siglip/siglip-vision.ts';
import { VaeDecoder } from '../../src/models/vae/decoder.ts';
import { VaeEncoder } from '../../src/models/vae/encoder.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { WeightScope } from '../../src/weights/weight-scope.ts';
import { tinyConfig, tinyWeights } from './tiny-framepack.ts';
import { VAE_CONFIG } from './vae/random-vae.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('meta');
});
afterAll(() => device.close());

/** What the allocator rounds every tensor up to. */
const GRANULE = 256;

type Load = (weights: WeightScope) => unknown;

const LOADERS: Readonly<Record<string, { part: string; load: Load }>> = {
  dit: {
    part: 'transformer',
    load: (weights) => Dit.load(weights, parseDitConfig(tinyConfig('transformer')), 'f32'),
  },
  llama: {
    part: 'text_encoder',
    load: (weights) =>
      Llama.load(weights, parseLlamaConfig(tinyConfig('text_encoder')), {
        hiddenLayer: -3,
        dtype: 'f32',
      }),
  },
  clip: {
    part: 'text_encoder_2',
    load: (weights) =>
      ClipText.load(weights, parseClipTextConfig(tinyConfig('text_encoder_2')), 'f32'),
  },
  siglip: {
    part: 'image_encoder',
    load: (weights) =>
      SiglipVision.load(weights, parseSiglipVisionConfig(tinyConfig('image_encoder')), 'f32'),
  },
  'VAE encoder': { part: 'vae', load: (weights) => VaeEncoder.load(weights, VAE_CONFIG, 'f32') },
  'VAE decoder': {
    part: 'vae',
    load: (weights) => VaeDecoder.load(weights, VAE_CONFIG, { upsampling: 'plain', dtype: 'f32' }),
  },
};

/** The table of embeddings stays in the file, of which the rows of a prompt are read. */
const ON_HOST = /(^|\.)embed_tokens\.weight$/;

/** Bytes on the device after loading, and bytes in the file of what was taken for it. */
async function bytesOf(part: string, load: Load): Promise<{ resident: number; taken: number }> {
  const checkpoint = await tinyWeights(device, part);
  return scope(() => {
    const before = device.memory().currentBytes;
    load(checkpoint.scope());
    const left = new Set(checkpoint.unused());
    const taken = checkpoint
      .entries()
      .filter(({ name }) => !left.has(name) && !ON_HOST.test(name))
      .reduce((sum, { byteLength }) => sum + Math.ceil(byteLength / GRANULE) * GRANULE, 0);
    return { resident: device.memory().currentBytes - before, taken };
  });
}

test.each(Object.entries(LOADERS))('%s holds its weights once', async (_, { part, load }) => {
  const { resident, taken } = await bytesOf(part, load);
  expect(taken).toBeGreaterThan(0);
  expect(resident).toBe(taken);
});

test('the decoder holds the merged taps in place of the convolutions they stand for', async () => {
  const { resident, taken } = await bytesOf('vae', (weights) =>
    VaeDecoder.load(weights, VAE_CONFIG, { dtype: 'f32' }),
  );
  const [, second, third, coarsest] = VAE_CONFIG.blockChannels;
  // Stored in f16, 27 taps; merged in f32: 4 phases of 12 taps where time is not doubled, else 8 of 8.
  const stored = [coarsest, third, second].map((c) => 2 * 27 * c * c);
  const merged = [4 * 48 * coarsest ** 2, 4 * 64 * third ** 2, 4 * 64 * second ** 2];
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  expect(resident).toBe(taken - sum(stored) + sum(merged));
});
