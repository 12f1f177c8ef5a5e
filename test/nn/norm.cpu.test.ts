import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupNorm, LayerNorm, RmsNorm } from '../../src/nn/norm.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const ones = (width: number) => fromArray(device, new Float32Array(width).fill(1), [width], 'f32');
const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expected.forEach((value, index) => {
    expect(actual[index]).toBeCloseTo(value, 5);
  });
};

describe('norms', () => {
  it('LayerNorm centres and scales', async () => {
    const bias = fromArray(device, [1, 2], [2], 'f32');
    const norm = new LayerNorm(ones(2), bias, 0);
    close(await norm.forward(fromArray(device, [4, 8], [1, 2], 'f32')).readFloat32(), [0, 3]);
  });

  it('RmsNorm only scales', async () => {
    const norm = new RmsNorm(ones(2), 0);
    const x = fromArray(device, [3, 4], [1, 2], 'f32');
    close(await norm.forward(x).readFloat32(), [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)]);
  });

  it('GroupNorm takes a group of channels over all positions', async () => {
    const norm = new GroupNorm(ones(2), fromArray(device, [0, 0], [2], 'f32'), {
      groups: 2,
      eps: 0,
    });
    const x = fromArray(device, [1, 10, 3, 30], [1, 2, 1, 1, 2], 'f32');
    close(await norm.forward(x).readFloat32(), [-1, -1, 1, 1]);
    const activated = await norm.forward(x, { silu: true }).readFloat32();
    close(
      activated,
      [-1, -1, 1, 1].map((value) => value / (1 + Math.exp(-value))),
    );
  });

  it('take their tensors', async () => {
    await withWeights(device, { 'n.weight': [4], 'n.bias': [4] }, async (checkpoint) => {
      const weights = checkpoint.scope('n');
      LayerNorm.load(weights, 4, 1e-6);
      checkpoint.assertUsed();
      GroupNorm.load(weights, 4, { groups: 2, eps: 1e-6 });
      expect(() => RmsNorm.load(weights, 3, 1e-6)).toThrow(/n\.weight/);
    });
  });
});
