import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Linear } from '../../src/nn/linear.ts';
import { Mlp } from '../../src/nn/mlp.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('Mlp', () => {
  it('activates between its layers', async () => {
    const one = fromArray(device, [1], [1, 1], 'f32');
    const mlp = new Mlp(new Linear(one, null), new Linear(one, null), 'silu');
    const [value] = await mlp.forward(fromArray(device, [2], [1, 1], 'f32')).readFloat32();
    expect(value).toBeCloseTo(2 / (1 + Math.exp(-2)), 6);
  });

  it('takes both layers by name', async () => {
    const shapes = { 'fc1.weight': [8, 3], 'fc1.bias': [8], 'fc2.weight': [5, 8], 'fc2.bias': [5] };
    await withWeights(device, shapes, async (checkpoint) => {
      const mlp = Mlp.load(checkpoint.scope(), {
        names: ['fc1', 'fc2'],
        inFeatures: 3,
        hiddenFeatures: 8,
        outFeatures: 5,
        activation: 'gelu-tanh',
      });
      checkpoint.assertUsed();
      expect(mlp.forward(fromArray(device, [1, 2, 3], [1, 3], 'f32')).shape).toEqual([1, 5]);
    });
  });
});
