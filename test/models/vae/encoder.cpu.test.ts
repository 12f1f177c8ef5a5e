import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VaeEncoder } from '../../../src/models/vae/encoder.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyWeights } from '../tiny-framepack.ts';
import { randomTensor, VAE_CONFIG } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

describe('VaeEncoder', () => {
  it.each([
    [1, 1],
    [5, 2],
    [9, 3],
  ])('compresses %d frames to %d', async (frames, latents) => {
    const checkpoint = await tinyWeights(device, 'vae');
    await scope(async () => {
      const encoder = VaeEncoder.load(checkpoint.scope(), VAE_CONFIG, 'f32');
      const moments = await encoder.forward(randomTensor(device, [1, frames, 16, 24, 3]));
      expect(moments.shape).toEqual([1, latents, 2, 3, 2 * VAE_CONFIG.latentChannels]);
    });
    expect(device.memory().liveTensors).toBe(0);
  });

  it('shows its stages in order', async () => {
    const checkpoint = await tinyWeights(device, 'vae');
    await scope(async () => {
      const encoder = VaeEncoder.load(checkpoint.scope(), VAE_CONFIG, 'f32');
      const names: string[] = [];
      const tap = (name: string): void => void names.push(name);
      await encoder.forward(randomTensor(device, [1, 1, 16, 16, 3]), { tap });
      expect(names).toEqual([
        'conv_in',
        ...[0, 1, 2, 3].map((index) => `down_blocks.${index}`),
        'mid_block.attn',
        'mid_block',
      ]);
    });
  });
});
