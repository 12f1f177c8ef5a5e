import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MidBlock } from '../../../src/models/vae/mid-block.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyWeights } from '../tiny-framepack.ts';
import { randomTensor, VAE_CONFIG } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

describe('MidBlock', () => {
  it('keeps the shape and shows attention token by token', async () => {
    const channels = VAE_CONFIG.blockChannels[3];
    const checkpoint = await tinyWeights(device, 'vae');
    scope(() => {
      const block = MidBlock.load(checkpoint.scope('decoder.mid_block'), VAE_CONFIG);
      const shapes: (readonly number[])[] = [];
      const x = randomTensor(device, [1, 2, 3, 4, channels]);
      const result = block.forward(x, (_, value) => void shapes.push(value.shape));
      expect(result.shape).toEqual([1, 2, 3, 4, channels]);
      expect(shapes).toEqual([[1, 24, channels]]);
    });
    await device.synchronize();
  });
});
