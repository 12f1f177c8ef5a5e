import { type FloatDType, fromBf16, fromF16, toBf16, toF16 } from '../tensor/dtype.ts';

/** The nearest number that `dtype` can hold, by way of f32; ties to even. */
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
