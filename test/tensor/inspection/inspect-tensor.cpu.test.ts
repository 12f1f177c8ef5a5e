import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { full } from '../../../src/ops/copy.ts';
import { add } from '../../../src/ops/elementwise.ts';
import { linear } from '../../../src/ops/linear.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { empty, fromArray, Tensor } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe('finished values on the CPU', () => {
  test.each([
    ['f32', [0.1, -2.5, 1e-8, 123456.7], '[0.1, -2.5, 1e-8, 123457]'],
    ['f16', [0.1, -2.5], '[0.0999756, -2.5]'],
    ['bf16', [0.1, Number.POSITIVE_INFINITY], '[0.100098, Infinity]'],
    ['f8e4m3', [448, Number.NaN], '[448, NaN]'],
    ['i32', [2 ** 31 - 1, -1], '[2147483647, -1]'],
    ['u8', [255, 0], '[255, 0]'],
  ] as const)('%s', async (dtype, data, text) => {
    const x = fromArray(device, data, [data.length], dtype);
    await device.synchronize();
    expect(inspect(x)).toBe(`Tensor [${data.length}] ${dtype} on cpu ${text}`);
  });

  test('of a large tensor and of a view are its first ones, in its order', async () => {
    const x = fromArray(device, numbers(12), [3, 4], 'f32');
    await device.synchronize();
    expect(inspect(x)).toBe('Tensor [3, 4] f32 on cpu [0, 1, 2, 3, 4, 5, 6, 7, ... 4 more]');
    expect(inspect(x.permute([1, 0]).slice(0, 1))).toBe(
      'Tensor [3, 3] f32 on cpu [1, 5, 9, 2, 6, 10, 3, 7, ... 1 more]',
    );
    expect(inspect({ x: x.slice(0, 1, 2).slice(1, 3) })).toBe(
      '{ x: Tensor [1, 1] f32 on cpu [7] }',
    );
  });

  test('of a scalar, and of nothing', async () => {
    const scalar = fromArray(device, [7], [], 'i32');
    await scalar.read();
    expect(inspect(scalar)).toBe('Tensor [] i32 on cpu [7]');
    expect(inspect(empty(device, [0, 3], 'u8'))).toBe('Tensor [0, 3] u8 on cpu []');
  });
});

describe('values that cannot be had at once', () => {
  const WAITING = '(values would have to be waited for: await read())';

  test('work that runs is not waited for', async () => {
    await scope(async () => {
      const x = full(device, [768, 768], 'f32', 1);
      let y = x;
      for (let i = 0; i < 8; i++) y = linear(y, x);
      expect(inspect(y)).toBe(`Tensor [768, 768] f32 on cpu ${WAITING}`);
      await device.synchronize();
      expect(inspect(y)).toMatch(/^Tensor \[768, 768\] f32 on cpu \[\d/);
    });
  });

  test('after work that failed there are none, until the failure was told', async () => {
    await using own = Device.open('cpu');
    await using meta = Device.open('meta');
    const x = full(own, [1], 'f32', 3);
    const { to } = await import('../../../src/ops/copy.ts');
    to(empty(meta, [1], 'f32'), own);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(inspect(x)).toBe(`Tensor [1] f32 on cpu ${WAITING}`);
    await expect(own.synchronize()).rejects.toThrow();
    expect(inspect(x)).toBe('Tensor [1] f32 on cpu [3]');
  });

  test('disposed tensors, closed devices and devices without data say so', async () => {
    const other = Device.open('cpu');
    const x = add(full(other, [2], 'f32', 1), 1);
    const lost: Tensor[] = [];
    scope(() => {
      lost.push(full(other, [2], 'f32', 1));
    }, 'decode');
    expect(inspect(lost[0])).toBe('Tensor [2] f32 on cpu (freed by its scope "decode")');
    const y = x.retain();
    y.dispose();
    expect(inspect(y)).toBe('Tensor [2] f32 on cpu (disposed)');
    await other.close();
    expect(inspect(x)).toBe('Tensor [2] f32 on cpu (its device is closed)');
    await using meta = Device.open('meta');
    expect(inspect(empty(meta, [2], 'bf16'))).toBe(
      'Tensor [2] bf16 on meta (no values on this device)',
    );
  });

  test('what only looks like a tensor does not throw', () => {
    expect(inspect(Object.create(Tensor.prototype))).toBe('Tensor (not constructed)');
    expect(() => inspect(Tensor.prototype)).not.toThrow();
  });
});
