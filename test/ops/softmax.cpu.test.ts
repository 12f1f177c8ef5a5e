import { expect, test } from 'vitest';
import { softmax } from '../../src/ops/softmax.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';

test('shares of softmax are those of the definition, and sum to 1', async () => {
  await using device = Device.open('cpu');
  const numbers = Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) - 5);
  const x = fromArray(device, numbers, [4, 6], 'f32');
  const shares = await softmax(x).read();
  for (let row = 0; row < 4; row++) {
    const powers = numbers.slice(row * 6, row * 6 + 6).map(Math.exp);
    const total = powers.reduce((sum, power) => sum + power);
    for (const [i, power] of powers.entries()) {
      expect(Math.abs(shares[row * 6 + i]! - power / total)).toBeLessThan(1e-6);
    }
  }
  const columns = await softmax(x, 0).read();
  const sums = Array.from({ length: 6 }, (_, i) =>
    [0, 6, 12, 18].reduce((sum, row) => sum + columns[row + i]!, 0),
  );
  for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
  const large = fromArray(device, [1e4, 1e4, Number.NEGATIVE_INFINITY], [3], 'f16');
  expect([...(await softmax(large).readFloat32())]).toEqual([0.5, 0.5, 0]);
  const open = fromArray(device, [Number.NaN, 0], [2], 'f32');
  expect([...(await softmax(open).read())]).toEqual([Number.NaN, Number.NaN]);
});
