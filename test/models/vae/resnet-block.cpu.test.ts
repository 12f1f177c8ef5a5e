import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResnetBlock } from '../../../src/models/vae/resnet-block.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyWeights } from '../tiny-framepack.ts';
import { randomTensor } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

describe('ResnetBlock', () => {
  it.each([
    ['encoder.down_blocks.1.resnets.0', 16, 32],
    ['decoder.up_blocks.1.resnets.0', 64, 64],
  ])('%s maps %d to %d channels', async (path, inChannels, outChannels) => {
    const checkpoint = await tinyWeights(device, 'vae');
    scope(() => {
      const shape = { inChannels, outChannels, normGroups: 4 };
      const block = ResnetBlock.load(checkpoint.scope(path), shape);
      const result = block.forward(randomTensor(device, [1, 2, 3, 4, inChannels]));
      expect(result.shape).toEqual([1, 2, 3, 4, outChannels]);
    });
    const left = checkpoint.unused().filter((name) => name.startsWith(`${path}.`));
    expect(left).toEqual([]);
    await device.synchronize();
  });
});
