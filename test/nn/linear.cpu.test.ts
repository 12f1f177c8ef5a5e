import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Linear } from '../../src/nn/linear.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('Linear', () => {
  it('computes x W^T + b', async () => {
    const weight = fromArray(device, [1, 2, 3, 4, 5, 6], [3, 2], 'f32');
    const bias = fromArray(device, [10, 20, 30], [3], 'f32');
    const x = fromArray(device, [1, -1], [1, 2], 'f32');
    expect([...(await new Linear(weight, bias).forward(x).readFloat32())]).toEqual([9, 19, 29]);
    const residual = fromArray(device, [1, 1, 1], [1, 3], 'f32');
    const added = new Linear(weight, null).forward(x, { residual });
    expect([...(await added.readFloat32())]).toEqual([0, 0, 0]);
  });

  it('takes its tensors and names what does not fit', async () => {
    await withWeights(device, { 'q.weight': [4, 3], 'q.bias': [4] }, async (checkpoint) => {
      const q = checkpoint.scope('q');
      const layer = Linear.load(q, { inFeatures: 3, outFeatures: 4 });
      checkpoint.assertUsed();
      expect(layer.forward(fromArray(device, [1, 2, 3], [1, 1, 3], 'f32')).shape).toEqual([
        1, 1, 4,
      ]);
      expect(Linear.load(q, { inFeatures: 3, outFeatures: 4, hasBias: false }).bias).toBeNull();
      expect(() => Linear.load(q, { inFeatures: 5, outFeatures: 4 })).toThrow(
        /q\.weight.*\[4, 5\]/,
      );
    });
  });
});
