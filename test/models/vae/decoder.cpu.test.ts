import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VaeDecoder } from '../../../src/models/vae/decoder.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { maxAbsError } from '../../golden/report.ts';
import { tinyWeights } from '../tiny-framepack.ts';
import { randomTensor, VAE_CONFIG } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

async function decode(frames: number, upsampling: 'polyphase' | 'plain'): Promise<Float32Array> {
  const checkpoint = await tinyWeights(device, 'vae');
  return scope(async () => {
    const decoder = VaeDecoder.load(checkpoint.scope(), VAE_CONFIG, { upsampling, dtype: 'f32' });
    const latents = randomTensor(device, [1, frames, 4, 6, VAE_CONFIG.latentChannels]);
    const pixels = await decoder.forward(latents);
    expect(pixels.shape).toEqual([1, 4 * frames - 3, 32, 48, 3]);
    return pixels.readFloat32();
  });
}

describe('VaeDecoder', () => {
  it.each([1, 2, 5])(
    'gives the same picture by both ways of upsampling, %d latents',
    async (frames) => {
      const difference = maxAbsError(
        await decode(frames, 'polyphase'),
        await decode(frames, 'plain'),
      );
      expect(difference).toBeLessThan(2e-5);
      expect(device.memory().liveTensors).toBe(0);
    },
  );

  it('takes the decoder half of the checkpoint and no more', async () => {
    const checkpoint = await tinyWeights(device, 'vae');
    scope(() => VaeDecoder.load(checkpoint.scope(), VAE_CONFIG, { dtype: 'f32' }));
    expect(checkpoint.unused().every((name) => /^(encoder|quant_conv)\./.test(name))).toBe(true);
  });
});
