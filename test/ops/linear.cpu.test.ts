import { expect, test } from 'vitest';
import { linear } from '../../src/ops/linear.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';

test('multiplies by rows of the weight and adds the bias', async () => {
  await using device = Device.open('cpu');
  const x = fromArray(device, [1, 2, 3, 4], [2, 2], 'f32');
  const weight = fromArray(device, [1, 10, 100, 1000, 0, 1], [3, 2], 'f32');
  const bias = fromArray(device, [0.5, 0, -1], [3], 'f32');
  const y = linear(x, weight, bias);
  expect([...(await y.read())]).toEqual([21.5, 2100, 1, 43.5, 4300, 3]);
});
