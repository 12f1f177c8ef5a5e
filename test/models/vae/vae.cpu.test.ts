import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cropToBucket } from '../../../src/media/bucket.ts';
import { decodeImage } from '../../../src/media/decode-image.ts';
import { VaeImageEncoder, VaeVideoDecoder } from '../../../src/models/vae/vae.ts';
import { fromRgb } from '../../../src/ops/pixels.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyWeights } from '../tiny-framepack.ts';
import { VAE_CONFIG } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const PICTURE = fileURLToPath(new URL('../../../assets/picture-1.png', import.meta.url));

describe('VaeImageEncoder and VaeVideoDecoder', () => {
  it('bring a picture back', async () => {
    const checkpoint = await tinyWeights(device, 'vae');
    const { data } = cropToBucket(await decodeImage(PICTURE), [64, 96]);
    const pixels = fromRgb(device, data, [64, 96]);
    const picture = await pixels.readFloat32();
    const restored = await scope(async () => {
      const encoder = VaeImageEncoder.load(checkpoint.scope(), VAE_CONFIG, 'f32');
      const decoder = VaeVideoDecoder.load(checkpoint.scope(), VAE_CONFIG, { dtype: 'f32' });
      checkpoint.assertUsed();
      const latents = await encoder.encodeMode(pixels);
      expect(latents.shape).toEqual([1, 16, 1, 8, 12]);
      return (await decoder.decode(latents)).readFloat32();
    });
    const error = restored.reduce(
      (sum, value, index) => sum + Math.abs(value - picture[index]!),
      0,
    );
    expect(error / picture.length).toBeLessThan(0.08);
    pixels.dispose();
    expect(device.memory().liveTensors).toBe(0);
  });
});
