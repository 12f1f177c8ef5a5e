import { contiguous } from '../../src/ops/copy.ts';
import type { Device } from '../../src/tensor/device.ts';
import type { DType } from '../../src/tensor/dtype.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { scope } from '../../src/tensor/scope.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';

/** Distribution of a random tensor. */
export interface Distribution {
  readonly mean?: number;
  readonly deviation?: number;
  readonly seed?: number;
}

// A prime, so that the period is not that of any axis.
const PERIOD = 65_521;

/** Normal numbers with a period, as host numbers. */
export function randomNumbers(count: number, distribution: Distribution = {}): Float32Array {
  const { mean = 0, deviation = 1, seed = 1 } = distribution;
  const numbers = new Generator(seed).nextNormals(PERIOD);
  for (let i = 0; i < PERIOD; i++) numbers[i] = numbers[i]! * deviation + mean;
  return count <= PERIOD ? numbers.subarray(0, count) : numbers;
}

/**
 * Normal numbers that repeat after some 65,000. They are multiplied on the device, because filling the tensors of a
 * benchmark from the host would take longer than the benchmark.
 */
export function randomTensor<D extends DType>(
  device: Device,
  shape: readonly number[],
  dtype: D,
  distribution: Distribution = {},
): Tensor<D> {
  const size = sizeOf(shape);
  const numbers = randomNumbers(size, distribution);
  const isInteger = dtype === 'i32' || dtype === 'u8';
  const data = isInteger ? numbers.map((value) => Math.round(value)) : numbers;
  return scope(() => {
    const period = fromArray(device, data, [1, data.length], dtype);
    const repeats = Math.ceil(size / data.length);
    const repeated = contiguous(period.expand([repeats, data.length])).reshape([-1]);
    return repeated.slice(0, 0, size).reshape(shape);
  });
}
