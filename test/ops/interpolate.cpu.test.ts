import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { interpolate } from '../../src/ops/interpolate.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { at, generate, type HostArray, hostArray } from './host-array.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

function tensor({ shape, data }: HostArray): Tensor<'f32'> {
  return fromArray(device, data, shape, 'f32');
}

async function expectEqual(actual: Tensor, expected: HostArray): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  expect([...(await actual.readFloat32())]).toEqual([...expected.data]);
}

async function expectClose(actual: Tensor, expected: HostArray): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  const values = await actual.readFloat32();
  const worst = expected.data.map((value, i) => Math.abs(value - values[i]!));
  expect(Math.max(...worst)).toBeLessThan(1e-4);
}

describe('interpolate', () => {
  const x = hostArray([2, 3, 4, 2]);

  test('nearest takes whole pixels', async () => {
    const expected = generate([2, 7, 2, 2], ([b, r, c, k]) =>
      at(x, [b!, Math.floor((r! * 3) / 7), Math.floor((c! * 4) / 2), k!]),
    );
    await expectEqual(interpolate(tensor(x), [7, 2]), expected);
  });

  test.each([[[6, 8]], [[2, 3]], [[3, 4]], [[1, 9]]])(
    'bilinear to %j mixes neighbours',
    async (size) => {
      const sample = (index: readonly number[], r: number, c: number): number =>
        at(x, [index[0]!, Math.min(r, 2), Math.min(c, 3), index[3]!]);
      const expected = generate([2, size[0]!, size[1]!, 2], (index) => {
        const row = Math.max(((index[1]! + 0.5) * 3) / size[0]! - 0.5, 0);
        const column = Math.max(((index[2]! + 0.5) * 4) / size[1]! - 0.5, 0);
        const [r, c] = [Math.floor(row), Math.floor(column)];
        const [v, u] = [row - r, column - c];
        const top = sample(index, r, c) * (1 - u) + sample(index, r, c + 1) * u;
        const bottom = sample(index, r + 1, c) * (1 - u) + sample(index, r + 1, c + 1) * u;
        return top * (1 - v) + bottom * v;
      });
      await expectClose(interpolate(tensor(x), size as [number, number], 'bilinear'), expected);
    },
  );
});
