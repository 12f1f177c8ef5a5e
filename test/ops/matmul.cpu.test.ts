import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matmul } from '../../src/ops/matmul.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { contiguousStrides, sizeOf } from '../../src/tensor/shape.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';

conformance('matmul', 'cpu', { isa: 'avx2' });
conformance('matmul', 'cpu', { isa: 'avx512' });

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

/** Small whole numbers, so that every order of summation gives the same result. */
function numbers(shape: readonly number[], seed: number): number[] {
  return Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 3) % 11) - 5);
}

function tensor(shape: readonly number[], seed: number): Tensor<'f32'> {
  return fromArray(device, numbers(shape, seed), shape, 'f32');
}

/** The element of an array at an index whose axes of extent 1 stretch. */
function at(data: readonly number[], shape: readonly number[], index: readonly number[]): number {
  const strides = contiguousStrides(shape);
  const own = index.slice(index.length - shape.length);
  return data[own.reduce((sum, i, axis) => sum + (shape[axis] === 1 ? 0 : i * strides[axis]!), 0)]!;
}

/** The definition, on operands with at least two axes. */
function product(a: readonly number[], b: readonly number[], out: readonly number[]): number[] {
  const [left, right] = [numbers(a, 1), numbers(b, 2)];
  const strides = contiguousStrides(out);
  return Array.from({ length: sizeOf(out) }, (_, flat) => {
    const index = out.map((extent, axis) => Math.floor(flat / strides[axis]!) % extent);
    const [batch, row, column] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
    let sum = 0;
    for (let k = 0; k < a.at(-1)!; k++) {
      sum += at(left, a, [...batch, row, k]) * at(right, b, [...batch, k, column]);
    }
    return sum;
  });
}

describe('matmul is the product of the operands as they stand', () => {
  test.each([
    { a: [2, 3], b: [3, 4], out: [2, 4] },
    { a: [5, 2, 3], b: [3, 4], out: [5, 2, 4] },
    { a: [2, 3], b: [5, 3, 4], out: [5, 2, 4] },
    { a: [5, 1, 2, 3], b: [6, 3, 4], out: [5, 6, 2, 4] },
    { a: [2, 1, 3, 2, 3], b: [1, 4, 1, 3, 2], out: [2, 4, 3, 2, 2] },
    { a: [0, 3], b: [3, 4], out: [0, 4] },
    { a: [2, 0], b: [0, 2], out: [2, 2] },
    { a: [70, 90], b: [90, 65], out: [70, 65] },
  ])('$a x $b', async ({ a, b, out }) => {
    const y = matmul(tensor(a, 1), tensor(b, 2));
    expect(y.shape).toEqual(out);
    expect([...(await y.read())]).toEqual(product(a, b, out).map((value) => value + 0));
  });

  test('a vector is a row on the left and a column on the right', async () => {
    const [v, m] = [tensor([3], 1), tensor([3, 4], 2)];
    const row = matmul(v, m);
    expect(row.shape).toEqual([4]);
    expect([...(await row.read())]).toEqual(product([1, 3], [3, 4], [1, 4]));
    const column = matmul(tensor([2, 3], 1), tensor([3], 2));
    expect(column.shape).toEqual([2]);
    expect([...(await column.read())]).toEqual(product([2, 3], [3, 1], [2, 1]));
    const dot = matmul(v, tensor([3], 2));
    expect(dot.shape).toEqual([]);
    expect([...(await dot.read())]).toEqual(product([1, 3], [3, 1], [1, 1]));
  });

  test('permuted and sliced views are read where they lie, or through a copy', async () => {
    const [a, b] = [tensor([4, 6], 1), tensor([6, 5], 2)];
    const expected = [...(await matmul(a, b).read())];
    const turnedA = fromArray(device, transposed(numbers([4, 6], 1), 4, 6), [6, 4], 'f32');
    const turnedB = fromArray(device, transposed(numbers([6, 5], 2), 6, 5), [5, 6], 'f32');
    const views = [
      [turnedA.permute([1, 0]), b],
      [a, turnedB.permute([1, 0])],
      [turnedA.permute([1, 0]), turnedB.permute([1, 0])],
    ] as const;
    for (const [x, y] of views) expect([...(await matmul(x, y).read())]).toEqual(expected);
    const wide = tensor([4, 8], 1);
    const narrow = matmul(wide.slice(1, 1, 7), b);
    const copied = fromArray(device, await wide.slice(1, 1, 7).read(), [4, 6], 'f32');
    expect(await narrow.read()).toEqual(await matmul(copied, b).read());
  });

  test('attention scores of permuted heads', async () => {
    const q = tensor([2, 3, 4, 5], 1); // [B, L, N, K]
    const k = tensor([2, 6, 4, 5], 2);
    const scores = scope(() => matmul(q.permute([0, 2, 1, 3]), k.permute([0, 2, 3, 1])));
    expect(scores.shape).toEqual([2, 4, 3, 6]);
    const values = await scores.read();
    const [left, right] = [numbers([2, 3, 4, 5], 1), numbers([2, 6, 4, 5], 2)];
    for (const [flat, value] of values.entries()) {
      const [b, n] = [Math.floor(flat / 72), Math.floor(flat / 18) % 4];
      const [l, s] = [Math.floor(flat / 6) % 3, flat % 6];
      let sum = 0;
      for (let i = 0; i < 5; i++) {
        sum += at(left, [2, 3, 4, 5], [b, l, n, i]) * at(right, [2, 6, 4, 5], [b, s, n, i]);
      }
      expect(value).toBe(sum);
    }
  });
});

test('extents that do not meet are named', () => {
  expect(() => matmul(tensor([2, 3], 1), tensor([4, 2], 1))).toThrow(
    'matmul: b expected 3 rows for a [2, 3] f32, got [4, 2] f32',
  );
  expect(() => matmul(tensor([2, 1, 3], 1), tensor([3, 3, 2], 1))).toThrow(/broadcasts with \[2\]/);
  expect(() => matmul(fromArray(device, 1 as never, [], 'f32'), tensor([1, 1], 1))).toThrow();
});

function transposed(data: readonly number[], rows: number, columns: number): number[] {
  return data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
}
