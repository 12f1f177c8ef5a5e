import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asRows,
  checkChoice,
  checkContiguous,
  checkDType,
  checkFinite,
  checkMinRank,
  checkOperands,
  checkShape,
  checkTriple,
  checkWhole,
  formatTensor,
} from '../../src/tensor/check.ts';
import { Device } from '../../src/tensor/device.ts';
import { empty, type Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
let other: Device;
beforeAll(() => {
  device = Device.open('meta');
  other = Device.open('meta');
});
afterAll(() => Promise.all([device.close(), other.close()]));

function coded(code: string, message: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(message) });
}

describe('checkOperands', () => {
  test('returns the device of the operands', () => {
    const a = empty(device, [2], 'f32');
    expect(checkOperands('op', { a, c: a }, { b: undefined, d: a })).toBe(device);
  });

  test('refuses disposed tensors, foreign devices, other values and nothing', () => {
    const a = empty(device, [2], 'f32');
    const disposed = empty(device, [2], 'f32');
    disposed.dispose();
    const cases = [
      {
        operands: { a, b: disposed },
        error: coded('ERR_DISPOSED', 'op: b expected a live tensor'),
      },
      {
        operands: { a, b: empty(other, [2], 'f32') },
        error: coded('ERR_DEVICE', 'op: b expected'),
      },
      { operands: { a, b: 3 }, error: coded('ERR_ARGUMENT', 'op: b expected a tensor, got 3') },
      { operands: { a, b: undefined }, error: coded('ERR_ARGUMENT', 'op: b expected a tensor') },
      { operands: { a: null }, error: coded('ERR_ARGUMENT', 'got null') },
      { operands: { a: {} }, error: coded('ERR_ARGUMENT', 'a tensor') },
      { operands: {}, error: coded('ERR_ARGUMENT', 'at least one tensor') },
    ];
    for (const { operands, error } of cases) {
      expect(() => checkOperands('op', operands as Record<string, Tensor>)).toThrow(error as Error);
    }
  });

  test('refuses optional operands that are something else', () => {
    const a = empty(device, [2], 'f32');
    expect(() => checkOperands('op', { a }, { b: null as never })).toThrow(
      coded('ERR_ARGUMENT', 'op: b expected a tensor, got null') as Error,
    );
  });

  test('refuses tensors of a closed device', async () => {
    const closing = Device.open('meta');
    const a = empty(closing, [2], 'f32');
    await closing.close();
    expect(() => checkOperands('op', { a })).toThrow(
      coded('ERR_DISPOSED', 'op: device expected an open device, got a closed one') as Error,
    );
  });
});

describe('properties of tensors', () => {
  test('dtype, shape, rank and layout errors name both sides', () => {
    const x = empty(device, [2, 3], 'bf16');
    expect(formatTensor(x)).toBe('[2, 3] bf16');
    expect(() => checkDType('op', 'x', x, ['f32', 'i32'])).toThrow(
      coded('ERR_DTYPE', 'op: x expected f32 or i32, got [2, 3] bf16') as Error,
    );
    expect(() => checkShape('op', 'x', x, [null, 4])).toThrow(
      coded('ERR_SHAPE', 'op: x expected [*, 4], got [2, 3] bf16') as Error,
    );
    expect(() => checkMinRank('op', 'x', x, 3)).toThrow(coded('ERR_SHAPE', '3 axes') as Error);
    expect(() => checkContiguous('op', 'x', x.permute([1, 0]))).toThrow(
      coded('ERR_UNSUPPORTED', 'strides [1, 3] for [3, 2] bf16; call contiguous()') as Error,
    );
  });

  test('absent tensors pass', () => {
    checkDType('op', 'x', undefined);
    checkShape('op', 'x', undefined, [1]);
    checkContiguous('op', 'x', undefined);
  });
});

describe('numbers', () => {
  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, undefined])(
    '%s is not whole',
    (value) => {
      expect(() => checkWhole('op', 'count', value as number, 0)).toThrow(
        coded('ERR_ARGUMENT', 'op: count expected a whole number >= 0') as Error,
      );
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined])(
    '%s is not finite',
    (value) => {
      expect(() => checkFinite('op', 'eps', value as number)).toThrow(
        coded('ERR_ARGUMENT', 'op: eps expected a finite number') as Error,
      );
    },
  );

  test('choices and triples', () => {
    expect(checkChoice('op', 'mode', 'b', ['a', 'b'])).toBe(1);
    expect(() => checkChoice('op', 'mode', 'c', ['a', 'b'])).toThrow(/a or b, got c/);
    expect(() => checkTriple('op', 'pad', [1, 2, 3], 0)).not.toThrow();
    expect(() => checkTriple('op', 'pad', [1, -2, 3], 0)).toThrow(/pad\[1\]/);
    expect(() => checkTriple('op', 'pad', [1, 2] as unknown as [1, 2, 3], 0)).toThrow(/length/);
  });
});

describe('asRows', () => {
  test.each([
    { name: 'contiguous', make: () => empty(device, [2, 3, 4], 'f32'), rows: [6, 4], stride: 4 },
    { name: 'vector', make: () => empty(device, [4], 'f32'), rows: [1, 4], stride: 4 },
    {
      name: 'columns of a wider matrix',
      make: () => empty(device, [2, 3, 8], 'f32').slice(2, 4),
      rows: [6, 4],
      stride: 8,
    },
    {
      name: 'rows of one batch entry',
      make: () => empty(device, [1, 9, 4], 'f32').slice(1, 2, 5),
      rows: [3, 4],
      stride: 4,
    },
  ])('$name', ({ make, rows, stride }) => {
    const view = asRows('op', 'x', make());
    expect([view.shape, view.strides]).toEqual([rows, [stride, 1]]);
  });

  test('refuses rows without one stride and scattered columns', () => {
    const x = empty(device, [2, 6, 4], 'f32');
    for (const view of [x.slice(1, 0, 3), x.permute([0, 2, 1])]) {
      expect(() => asRows('op', 'x', view)).toThrow(coded('ERR_UNSUPPORTED', 'strides') as Error);
    }
  });
});
