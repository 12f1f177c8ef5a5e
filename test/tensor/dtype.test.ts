import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  codeOf,
  type DType,
  decode,
  encode,
  fromBf16,
  fromF8E4M3,
  fromF16,
  hostData,
  isDType,
  isFloatDType,
  toBf16,
  toF8E4M3,
  toF16,
} from '../../src/tensor/dtype.ts';

const DTYPES: readonly DType[] = ['f32', 'f16', 'bf16', 'f8e4m3', 'i32', 'u8'];

describe('element types', () => {
  test('have the codes and widths of kernels/device/dtype.h', () => {
    expect(DTYPES.map(codeOf)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(DTYPES.map(bytesOf)).toEqual([4, 2, 2, 1, 4, 1]);
  });

  test('are told from other values', () => {
    expect(DTYPES.every(isDType)).toBe(true);
    expect(['f64', '', 'toString', 3, null, undefined].some(isDType)).toBe(false);
    expect(DTYPES.filter(isFloatDType)).toEqual(['f32', 'f16', 'bf16']);
  });
});

describe('narrow floats', () => {
  const formats = [
    { name: 'f16', bits: 16, to: toF16, from: fromF16 },
    { name: 'bf16', bits: 16, to: toBf16, from: fromBf16 },
    { name: 'f8e4m3', bits: 8, to: toF8E4M3, from: fromF8E4M3 },
  ] as const;

  test.each(formats)('$name: every number comes back', ({ bits, to, from }) => {
    const strays: number[] = [];
    for (let pattern = 0; pattern < 2 ** bits; pattern++) {
      const value = from(pattern);
      if (!Number.isNaN(value) && to(value) !== pattern) strays.push(pattern);
    }
    expect(strays).toEqual([]);
  });

  // Halfway between neighbours goes to the even one, a little more or less to the near one.
  test.each(formats)('$name rounds to nearest, ties to even', ({ bits, to, from }) => {
    const largest = bits === 8 ? 0x7e : 2 ** (bits - 1);
    const strays: number[] = [];
    for (let low = 0; low < largest; low++) {
      const step = from(low + 1) - from(low);
      const middle = from(low) + step / 2;
      // Above the finite numbers, and where f32 itself has no number in between.
      if (!Number.isFinite(step) || Math.fround(middle) !== middle) continue;
      const nearby = [middle - step / 64, middle, middle + step / 64].map(to);
      const expected = [low, low + (low % 2), low + 1];
      if (nearby.join() !== expected.join()) strays.push(low);
    }
    expect(strays).toEqual([]);
  });

  test('beyond the largest number: f16 and bf16 overflow, f8e4m3 saturates', () => {
    expect(toF16(65519.99)).toBe(0x7bff);
    expect(toF16(65520)).toBe(0x7c00);
    expect(toF16(-1e30)).toBe(0xfc00);
    expect(toBf16(3.4e38)).toBe(0x7f80);
    expect(fromF8E4M3(toF8E4M3(1e9))).toBe(448);
    expect(fromF8E4M3(toF8E4M3(Number.NEGATIVE_INFINITY))).toBe(-448);
  });

  test.each(formats)('$name keeps NaN and the sign of zero', ({ to, from }) => {
    expect(from(to(Number.NaN))).toBeNaN();
    expect(from(to(-0))).toBe(-0);
  });
});

describe('encode and decode', () => {
  test.each(DTYPES)('%s: whole numbers survive', (dtype) => {
    const numbers = [0, 1, 2, 3, 7, 8, 15, 96];
    expect([...decode(encode(numbers, dtype), dtype)]).toEqual(numbers);
  });
});

describe('hostData', () => {
  test('takes arrays that are the storage without a copy', () => {
    const floats = new Float32Array(2);
    const bits = new Uint16Array(2);
    expect(hostData(floats, [2], 'f32')).toBe(floats);
    expect(hostData(bits, [2], 'bf16')).toBe(bits);
    expect(hostData(new Float32Array([1, -1]), [2], 'bf16')).toEqual(
      new Uint16Array([0x3f80, 0xbf80]),
    );
  });

  test.each([
    { data: [1, 2], code: 'ERR_SHAPE', got: 'expected 3 numbers for [3], got 2' },
    { data: [], code: 'ERR_SHAPE', got: 'got 0 (empty, or its buffer is detached)' },
    { data: new DataView(new ArrayBuffer(12)), code: 'ERR_ARGUMENT', got: 'got DataView' },
    { data: new BigInt64Array(3), code: 'ERR_ARGUMENT', got: 'got BigInt64Array' },
    { data: 'abc', code: 'ERR_ARGUMENT', got: 'got string' },
    { data: null, code: 'ERR_ARGUMENT', got: 'got null' },
    { data: { length: 3 }, code: 'ERR_ARGUMENT', got: 'got Object' },
    { data: new Float32Array(new SharedArrayBuffer(12)), code: 'ERR_ARGUMENT', got: 'Shared' },
  ])('refuses $data', ({ data, code, got }) => {
    expect(() => hostData(data as number[], [3], 'f32')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(got) }),
    );
  });

  test('refuses a detached buffer and follows a resized one', () => {
    const data = new Float32Array(3);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect(() => hostData(data, [3], 'f32')).toThrow(/detached/);

    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(bytes: number): void };
    const buffer = new Resizable(12, { maxByteLength: 32 });
    const tracking = new Float32Array(buffer);
    buffer.resize(8);
    expect(() => hostData(tracking, [3], 'f32')).toThrow(/got 2/);
  });

  test.each([
    { dtype: 'i32', value: 2 ** 31 },
    { dtype: 'i32', value: 0.5 },
    { dtype: 'u8', value: -1 },
    { dtype: 'u8', value: 256 },
    { dtype: 'u8', value: Number.NaN },
  ] as const)('$dtype refuses $value', ({ dtype, value }) => {
    expect(() => hostData([0, value], [2], dtype)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining('data[1]'),
      }),
    );
  });
});
