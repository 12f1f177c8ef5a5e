import { type FloatDType, fromBf16, fromF16, toBf16, toF16 } from '../tensor/dtype.ts';

/**
 * A noise level or a distilled guidance scale as the network's embedding takes it: times 1000 in f32, then rounded to
 * the dtype of the network. In bf16 a guidance of 10 becomes 9984, in f32 it stays 10000.
 */
export function conditioningNumber(value: number, dtype: FloatDType): number {
  return roundTo(Math.fround(Math.fround(value) * 1000), dtype);
}

/** The nearest number that `dtype` can hold, ties to even. */
export function roundTo(value: number, dtype: FloatDType): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value);
    case 'f16':
      return fromF16(toF16(value));
    case 'bf16':
      return fromBf16(toBf16(value));
  }
}
