import { describe, expect, test } from 'vitest';
import { codeOf, type DType } from '../../../src/tensor/dtype.ts';
import type { NativeBuffer, NativeTensor } from '../../../src/tensor/native-types.ts';
import { contiguousStrides } from '../../../src/tensor/shape.ts';
import { type CallOf, workOf } from '../../../src/tensor/work/operation-work.ts';

function tensor(
  shape: readonly number[],
  dtype: DType = 'f32',
  strides: readonly number[] = contiguousStrides(shape),
): NativeTensor {
  return { buffer: {} as NativeBuffer, dtype: codeOf(dtype), shape, strides, offset: 0 };
}

const PLAIN = { scale: undefined, bias: undefined, residual: undefined, gate: undefined };

describe('products', () => {
  test('a product of matrices with its bias', () => {
    const call: CallOf<'matmul'> = {
      ...PLAIN,
      a: tensor([1, 5, 7], 'bf16', [0, 7, 1]),
      weight: tensor([1, 3, 7], 'f8e4m3', [0, 7, 1]),
      out: tensor([1, 5, 3], 'bf16', [0, 3, 1]),
      bias: tensor([3], 'f32'),
      ...{ activation: 0, scaleMode: 0 },
    };
    expect(workOf('matmul', call)).toEqual({
      flops: 2 * 5 * 3 * 7,
      movedBytes: 2 * 35 + 21 + 2 * 15 + 4 * 3,
    });
  });

  test('a convolution and its stride', () => {
    const call: CallOf<'conv3d'> = {
      x: tensor([1, 3, 8, 8, 4]),
      weight: tensor([6, 3, 3, 3, 4]),
      out: tensor([1, 3, 4, 4, 6]),
      ...{ bias: undefined, residual: undefined, stride: [1, 2, 2], pad: [2, 1, 1] },
    };
    expect(workOf('conv3d', call).flops).toBe(2 * (3 * 4 * 4) * 6 * (27 * 4));
  });
});

describe('attention', () => {
  /** Counts every pair of a query and a key. */
  function countPairs(queries: number, keys: number, sees: (i: number, j: number) => boolean) {
    let pairs = 0;
    for (let i = 0; i < queries; i++) for (let j = 0; j < keys; j++) pairs += sees(i, j) ? 1 : 0;
    return pairs;
  }

  test.each([
    ['none', { mask: 0, frameTokens: 0, queries: 5, keys: 9 }, () => true],
    [
      'causal',
      { mask: 1, frameTokens: 0, queries: 5, keys: 9 },
      (i: number, j: number) => j <= i + 4,
    ],
    [
      'causal, fewer keys',
      { mask: 1, frameTokens: 0, queries: 9, keys: 5 },
      (i: number, j: number) => j <= i - 4,
    ],
    [
      'frame-causal, a ragged end',
      { mask: 2, frameTokens: 4, queries: 10, keys: 10 },
      (i: number, j: number) => Math.floor(j / 4) <= Math.floor(i / 4),
    ],
  ])('counts the pairs that a mask leaves: %s', (_, sizes, sees) => {
    const { queries, keys, mask, frameTokens } = sizes;
    const call: CallOf<'attention'> = {
      q: tensor([2, queries, 4, 8]),
      k: tensor([2, keys, 2, 8]),
      v: tensor([2, keys, 2, 8]),
      out: tensor([2, queries, 4, 8]),
      ...{ queryOffsets: undefined, keyOffsets: undefined, scale: 1, mask, frameTokens },
    };
    expect(workOf('attention', call).flops).toBe(4 * 8 * 2 * 4 * countPairs(queries, keys, sees));
  });
});

describe('operations that memory bounds', () => {
  test('a lookup moves the rows that it takes and not the table', () => {
    const call = {
      ids: tensor([3], 'i32'),
      table: tensor([100_000, 16], 'f16'),
      out: tensor([3, 16], 'f16'),
    };
    expect(workOf('embedding', call)).toEqual({ flops: 0, movedBytes: 2 * 3 * 16 * 2 });
  });

  test('an axis that repeats is read once', () => {
    const call: CallOf<'elementwise'> = {
      ...{ operation: 0, alpha: 1, beta: 0, c: undefined },
      a: tensor([4, 6]),
      b: tensor([4, 6], 'f32', [0, 1]),
      out: tensor([4, 6]),
    };
    expect(workOf('elementwise', call)).toEqual({ flops: 24, movedBytes: 4 * (24 + 6 + 24) });
  });
});
