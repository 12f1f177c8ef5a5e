import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { timestepEmbedding } from '../../src/nn/timestep-embedding.ts';
import { Device } from '../../src/tensor/device.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe('timestepEmbedding', () => {
  it('matches the reference at 988: cosines first, then sines', async () => {
    const values = await timestepEmbedding(device, 988, 256, 'f32').readFloat32();
    const expected: readonly [number, number][] = [
      [0, 0.0308846],
      [1, -0.4700083],
      [2, 0.489316],
      [127, 0.9943691],
      [128, 0.9995229],
      [129, 0.882662],
      [130, 0.8721066],
      [255, 0.1059719],
    ];
    for (const [index, value] of expected) expect(values[index]).toBeCloseTo(value, 6);
  });

  it('is one and zero at zero, in any dtype', async () => {
    const values = await timestepEmbedding(device, 0, 8, 'bf16').readFloat32();
    expect([...values]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });
});
