import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type UpsampleFactor, Upsampler } from '../../../src/models/vae/upsampler.ts';
import { CausalConv3d } from '../../../src/nn/causal-conv3d.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { relativeError } from '../../golden/report.ts';
import { randomTensor } from './random-vae.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const FACTORS: UpsampleFactor[] = [
  [1, 2, 2],
  [2, 2, 2],
];

describe.each(FACTORS)('Upsampler by (%d, %d, %d)', (...factor) => {
  it.each([
    [1, 1, 1],
    [1, 2, 3],
    [2, 1, 4],
    [5, 3, 2],
  ])('computes the same by phases as literally: %d x %d x %d', async (frames, height, width) => {
    const [phased, plain] = await scope(async () => {
      const conv = new CausalConv3d(
        randomTensor(device, [6, 3, 3, 3, 4], 2),
        randomTensor(device, [6], 3),
      );
      const x = randomTensor(device, [1, frames, height, width, 4], 4);
      const run = (method: 'polyphase' | 'plain'): Promise<Float32Array> =>
        new Upsampler(conv, factor as UpsampleFactor, method).forward(x).readFloat32();
      return [await run('polyphase'), await run('plain')] as const;
    });
    const outFrames = factor[0] === 2 ? 2 * frames - 1 : frames;
    expect(phased).toHaveLength(outFrames * 2 * height * 2 * width * 6);
    expect(relativeError(phased, plain)).toBeLessThan(1e-6);
  });
});
