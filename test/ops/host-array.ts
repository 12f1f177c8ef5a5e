import { contiguousStrides, sizeOf } from '../../src/tensor/shape.ts';

/** A plain array with a shape: what operations are compared with in words of JavaScript. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Numbers that differ from their neighbours and are exact in every float type. */
export function hostArray(shape: readonly number[], seed = 0): HostArray {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37 + seed * 11) % 61) / 4 - 7);
  return { shape, data };
}

/** An array whose element at an index is `value(index)`. */
export function generate(
  shape: readonly number[],
  value: (index: readonly number[]) => number,
): HostArray {
  const strides = contiguousStrides(shape);
  const data = Array.from({ length: sizeOf(shape) }, (_, flat) =>
    value(shape.map((extent, axis) => Math.floor(flat / strides[axis]!) % extent)),
  );
  return { shape, data };
}

/** The element at an index; one outside of the array is 0. */
export function at({ shape, data }: HostArray, index: readonly number[]): number {
  if (index.some((i, axis) => i < 0 || i >= shape[axis]!)) return 0;
  const strides = contiguousStrides(shape);
  return data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
}
