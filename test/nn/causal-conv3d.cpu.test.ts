import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CausalConv3d, collapseTime } from '../../src/nn/causal-conv3d.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { relativeError } from '../golden/report.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('CausalConv3d', () => {
  it('reads the checkpoint layout: channels move last', async () => {
    const shapes = { 'c.weight': [4, 2, 3, 3, 3], 'c.bias': [4] };
    await withWeights(device, shapes, async (checkpoint) => {
      const shape = { inChannels: 2, outChannels: 4, kernel: 3 };
      const conv = CausalConv3d.load(checkpoint.scope('c'), shape);
      checkpoint.assertUsed();
      expect(conv.weight.shape).toEqual([4, 3, 3, 3, 2]);
      const stored = checkpoint.take('c.weight', [4, 2, 3, 3, 3]);
      expect(await conv.weight.read()).toEqual(await stored.permute([0, 2, 3, 4, 1]).read());
    });
  });

  it('pads time in front only: a frame never hears a later one', async () => {
    const generator = new Generator(4);
    const conv = new CausalConv3d(
      generator.randn(device, [4, 3, 3, 3, 2]),
      fromArray(device, [0, 0, 0, 0], [4], 'f32'),
    );
    const x = generator.randn(device, [1, 4, 3, 3, 2]);
    const whole = await conv.forward(x).slice(1, 0, 2).read();
    const start = await conv.forward(x.slice(1, 0, 2).retain()).read();
    expect(relativeError(start, whole)).toBeLessThan(1e-6);
  });

  it.each([
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
  ] as const)('takes one frame the short way with stride (%d, %d, %d)', async (...stride) => {
    const generator = new Generator(5);
    const weight = generator.randn(device, [4, 3, 3, 3, 2]);
    const conv = new CausalConv3d(weight, generator.randn(device, [16]).slice(0, 0, 4), stride);
    const x = generator.randn(device, [1, 1, 6, 4, 2]);
    const short = await conv.forward(x).read();
    const plain = await conv.forward(x, { collapseSingleFrame: false }).read();
    expect(relativeError(short, plain)).toBeLessThan(1e-6);
  });

  it('sums the temporal taps', async () => {
    const weight = fromArray(device, [1, 10, 100], [1, 3, 1, 1, 1], 'f32');
    const summed = collapseTime(weight, 'f32');
    expect(summed.shape).toEqual([1, 1, 1, 1, 1]);
    expect([...(await summed.readFloat32())]).toEqual([111]);
  });
});
