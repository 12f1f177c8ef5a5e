import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSteps, tapped } from '../../../src/models/vae/steps.ts';
import { affine } from '../../../src/ops/elementwise.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('runSteps', () => {
  it('applies the steps in order and keeps one intermediate at a time', async () => {
    const input = fromArray(device, [1, 2], [2], 'f32');
    const live: number[] = [];
    const add = (x: Tensor): Tensor => {
      live.push(device.memory().liveTensors);
      return affine(x, 2, 1);
    };
    const seen: Promise<Float32Array>[] = [];
    const tap = tapped('here', (_, value) => void seen.push(value.readFloat32()));
    const result = await runSteps(input, [add, tap, add, add]);
    expect([...(await result.readFloat32())]).toEqual([15, 23]);
    expect([...(await seen[0]!)]).toEqual([3, 5]);
    expect(live).toEqual([1, 2, 2]);
    expect(device.memory().liveTensors).toBe(2);
  });
});
