import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Modulation, modulate } from '../../../src/models/dit/modulation.ts';
import { Linear } from '../../../src/nn/linear.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('Modulation', () => {
  it('cuts one product into chunks in order', async () => {
    const weight = fromArray(device, [1, 0, 0, 1, 2, 0, 0, 2], [4, 2], 'f32');
    const chunks = new Modulation(new Linear(weight, null), 2, 2).forward(
      fromArray(device, [3, 5], [1, 2], 'f32'),
    );
    expect(await Promise.all(chunks.map((chunk) => chunk.readFloat32()))).toEqual([
      Float32Array.of(3, 5),
      Float32Array.of(6, 10),
    ]);
  });
});

describe('modulate', () => {
  it('normalises, scales by one more than asked, then shifts', async () => {
    const x = fromArray(device, [1, -1, 3, -3], [1, 2, 2], 'f32');
    const shift = fromArray(device, [10, 20], [1, 2], 'f32');
    const scale = fromArray(device, [1, 2], [1, 2], 'f32');
    const values = await modulate(x, shift, scale).readFloat32();
    [12, 17, 12, 17].forEach((expected, index) => {
      expect(values[index]).toBeCloseTo(expected, 4);
    });
  });
});
