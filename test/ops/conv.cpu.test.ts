import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conv1d, conv2d } from '../../src/ops/conv.ts';
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

async function expectClose(actual: Tensor, expected: HostArray): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  const values = await actual.readFloat32();
  const worst = expected.data.map((value, i) => Math.abs(value - values[i]!));
  expect(Math.max(...worst)).toBeLessThan(1e-4);
}

describe('convolution', () => {
  /** The definition for pictures. */
  function convolve(
    x: HostArray,
    w: HostArray,
    stride: readonly number[],
    padding: readonly number[],
  ) {
    const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
    const [out = 0, kH = 0, kW = 0] = w.shape;
    const rows = Math.floor((height + 2 * padding[0]! - kH) / stride[0]!) + 1;
    const columns = Math.floor((width + 2 * padding[1]! - kW) / stride[1]!) + 1;
    return generate([batch, rows, columns, out], ([b, r, c, o]) => {
      let sum = 0;
      for (let i = 0; i < kH; i++) {
        for (let j = 0; j < kW; j++) {
          for (let k = 0; k < channels; k++) {
            const y = r! * stride[0]! + i - padding[0]!;
            sum += at(x, [b!, y, c! * stride[1]! + j - padding[1]!, k]) * at(w, [o!, i, j, k]);
          }
        }
      }
      return sum;
    });
  }

  test.each([
    { stride: [1, 1], padding: [0, 0], kernel: [3, 3] },
    { stride: [2, 1], padding: [1, 2], kernel: [3, 2] },
    { stride: [2, 3], padding: [0, 1], kernel: [1, 1] },
    { stride: [1, 1], padding: [0, 0], kernel: [7, 6] },
  ])('conv2d with stride $stride, padding $padding, kernel $kernel', async (line) => {
    const x = hostArray([2, 7, 6, 3]);
    const w = hostArray([5, ...line.kernel, 3], 2);
    const y = conv2d(tensor(x), tensor(w), { stride: line.stride, padding: line.padding });
    await expectClose(y, convolve(x, w, line.stride, line.padding));
  });

  test('conv1d is conv2d of one row, and adds its bias', async () => {
    const x = hostArray([2, 9, 4]);
    const w = hostArray([3, 3, 4], 1);
    const flat = convolve(
      { ...x, shape: [2, 1, 9, 4] },
      { ...w, shape: [3, 1, 3, 4] },
      [1, 2],
      [0, 1],
    );
    const expected = generate([2, 5, 3], ([b, l, o]) => at(flat, [b!, 0, l!, o!]) + o!);
    const bias = fromArray(device, [0, 1, 2], [3], 'f32');
    await expectClose(conv1d(tensor(x), tensor(w), { bias, stride: 2, padding: 1 }), expected);
  });

  test('a kernel larger than the picture is refused', () => {
    expect(() => conv2d(tensor(hostArray([1, 2, 2, 1])), tensor(hostArray([1, 3, 1, 1])))).toThrow(
      'conv2d: weight.shape[1] expected a whole number in [1, 2], got 3',
    );
  });
});
