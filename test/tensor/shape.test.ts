import { describe, expect, test } from 'vitest';
import {
  broadcastShapes,
  checkShape,
  coalesce,
  contiguousStrides,
  expandedStrides,
  isContiguousLayout,
  type Layout,
  permuteLayout,
  resolveAxis,
  resolveReshape,
  sizeOf,
  sliceLayout,
} from '../../src/tensor/shape.ts';

function row(shape: number[]): Layout {
  return { shape, strides: contiguousStrides(shape), offset: 0 };
}

/** Positions in memory of every element, in row-major order. */
function positions({ shape, strides, offset }: Layout): number[] {
  return shape.reduce(
    (starts, extent, axis) =>
      starts.flatMap((start) =>
        Array.from({ length: extent }, (_, index) => start + index * strides[axis]!),
      ),
    [offset],
  );
}

describe('contiguity', () => {
  test('strides are row-major', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
    expect(sizeOf([])).toBe(1);
  });

  test.each([
    { layout: row([2, 3]), expected: true },
    { layout: row([]), expected: true },
    { layout: { shape: [2, 3], strides: [1, 2], offset: 0 }, expected: false },
    { layout: { shape: [2, 1, 3], strides: [3, 99, 1], offset: 5 }, expected: true },
    { layout: { shape: [2, 0], strides: [7, 7], offset: 0 }, expected: true },
    { layout: { shape: [2, 3], strides: [0, 1], offset: 0 }, expected: false },
  ])('$layout.shape with $layout.strides: $expected', ({ layout, expected }) => {
    expect(isContiguousLayout(layout)).toBe(expected);
  });
});

describe('checkShape', () => {
  test.each([[[]], [[0]], [[2, 3, 4, 5, 6, 7]], [[2 ** 50]]])('accepts %j', (shape) => {
    expect(() => checkShape('op', shape)).not.toThrow();
  });

  test.each([
    [[-1]],
    [[1.5]],
    [[Number.NaN]],
    [[2 ** 30, 2 ** 30]],
    [[1, 1, 1, 1, 1, 1, 1]],
    [undefined],
    [null],
    ['23'],
    [{ length: 1, 0: 2 }],
  ])('refuses %j', (shape) => {
    expect(() => checkShape('op', shape as number[])).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
  });
});

describe('axes', () => {
  test('may count from the end', () => {
    expect([0, 2, -1, -3].map((axis) => resolveAxis('op', axis, 3))).toEqual([0, 2, 2, 0]);
  });

  test.each([3, -4, 0.5, Number.NaN])('%d of three is none', (axis) => {
    expect(() => resolveAxis('op', axis, 3)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('broadcasting', () => {
  test.each([
    { a: [2, 3], b: [3], shape: [2, 3] },
    { a: [2, 1], b: [1, 3], shape: [2, 3] },
    { a: [], b: [4], shape: [4] },
    { a: [0, 3], b: [1, 3], shape: [0, 3] },
    { a: [1], b: [0], shape: [0] },
  ])('$a with $b is $shape', ({ a, b, shape }) => {
    expect(broadcastShapes('op', a, b)).toEqual(shape);
    expect(broadcastShapes('op', b, a)).toEqual(shape);
  });

  test('names both shapes when they do not fit', () => {
    expect(() => broadcastShapes('add', [2, 3], [2])).toThrow(
      'add: b expected a shape that broadcasts with [2, 3], got [2]',
    );
  });

  test('stretched axes have stride 0', () => {
    expect(expandedStrides('expand', row([3, 1]), [2, 3, 4])).toEqual([0, 1, 0]);
    expect(() => expandedStrides('expand', row([3]), [4])).toThrow(
      /\[3\] broadcasts to, got \[4\]/,
    );
    expect(() => expandedStrides('expand', row([2, 3]), [3])).toThrow(/broadcasts/);
  });
});

describe('reshape', () => {
  test.each([
    { from: [2, 6], to: [3, -1], shape: [3, 4] },
    { from: [2, 6], to: [12], shape: [12] },
    { from: [1], to: [], shape: [] },
    { from: [0, 5], to: [5, 0], shape: [5, 0] },
    { from: [0, 5], to: [-1, 5], shape: [0, 5] },
  ])('$from to $to is $shape', ({ from, to, shape }) => {
    expect(resolveReshape('reshape', from, to)).toEqual(shape);
  });

  test.each([{ to: [5] }, { to: [-1, -1] }, { to: [5, -1] }, { to: [0, -1] }, { to: [-2, -6] }])(
    '12 elements do not become $to',
    ({ to }) => {
      expect(() => resolveReshape('reshape', [2, 6], to)).toThrow(
        expect.objectContaining({ code: 'ERR_SHAPE' }),
      );
    },
  );
});

describe('views', () => {
  test('permute', () => {
    const layout = permuteLayout('permute', row([2, 3]), [1, 0]);
    expect(layout.shape).toEqual([3, 2]);
    expect(positions(layout)).toEqual([0, 3, 1, 4, 2, 5]);
    for (const axes of [[0], [0, 0], [0, 2]]) {
      expect(() => permuteLayout('permute', row([2, 3]), axes)).toThrow(/every axis of \[2, 3\]/);
    }
  });

  test.each([
    { bounds: { start: 1 }, expected: [1, 2, 3, 4, 5] },
    { bounds: { start: -2 }, expected: [4, 5] },
    { bounds: { start: 1, end: -1 }, expected: [1, 2, 3, 4] },
    { bounds: { start: 0, end: 6, step: 4 }, expected: [0, 4] },
    { bounds: { start: 6 }, expected: [] },
    { bounds: { start: 2, end: 2 }, expected: [] },
  ])('slice $bounds', ({ bounds, expected }) => {
    expect(positions(sliceLayout('slice', row([6]), 0, bounds))).toEqual(expected);
  });

  test.each([
    { start: 7 },
    { start: -7 },
    { start: 3, end: 2 },
    { start: 0, end: 7 },
    { start: 0, step: 0 },
    { start: 0.5 },
    { start: Number.NaN },
  ])('slice refuses %j', (bounds) => {
    expect(() => sliceLayout('slice', row([6]), 0, bounds)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('coalesce', () => {
  test('merges what memory allows, for all operands at once', () => {
    expect(coalesce([2, 3, 4], [12, 4, 1])).toEqual({ shape: [24], strides: [[1]] });
    expect(coalesce([2, 3, 4], [24, 4, 1])).toEqual({ shape: [2, 12], strides: [[24, 1]] });
    expect(coalesce([2, 1, 3], [3, 77, 1])).toEqual({ shape: [6], strides: [[1]] });
    expect(coalesce([2, 3], [3, 1], [0, 1])).toEqual({
      shape: [2, 3],
      strides: [
        [3, 1],
        [0, 1],
      ],
    });
  });
});
