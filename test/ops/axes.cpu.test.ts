import { afterAll, beforeAll, expect, test } from 'vitest';
import { packAround, packTogether } from '../../src/ops/axes.ts';
import { zeros } from '../../src/ops/copy.ts';
import { Device } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

const tensor = (): Tensor => zeros(device, [2, 3, 4, 5], 'f32');

test.each([
  { axes: [1, 2], shape: [2, 12, 5] },
  { axes: [0, 1], shape: [1, 6, 20] },
  { axes: [3], shape: [24, 5, 1] },
  { axes: [], shape: [1, 1, 120] },
])('neighbouring axes $axes are not copied', ({ axes, shape }) => {
  const x = tensor();
  using packed = packAround(x, axes);
  expect(packed.view.shape).toEqual(shape);
  expect(packed.view.buffer).toBe(x.native.buffer);
});

test('a turned tensor is read in the order of its memory', () => {
  const x = tensor().permute([3, 0, 1, 2]); // the last axis of memory is the first one
  using packed = packAround(x, [1, 2, 3]);
  expect(packed.view.buffer).toBe(x.native.buffer);
  expect(packed.view.shape).toEqual([1, 24, 5]);
});

test('axes apart from each other move to the end of a copy', () => {
  const x = tensor();
  for (const pack of [packAround, packTogether]) {
    using packed = pack(x, [0, 2]);
    expect(packed.view.shape).toEqual([15, 8, 1]);
    expect(packed.view.buffer).not.toBe(x.native.buffer);
  }
});
