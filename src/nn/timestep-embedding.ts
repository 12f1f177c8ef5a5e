import type { Device } from '../tensor/device.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { fromArray, type Tensor } from '../tensor/tensor.ts';

const MAX_PERIOD = 10_000;

/**
 * Sinusoidal embedding of a scalar: `width / 2` cosines, then as many sines, of `tau * 10000^(-2 j / width)`.
 *
 * Frequencies and angles are rounded to f32 as the reference does; the result is rounded to `dtype`.
 *
 * @returns `[1, width]`.
 * @see spec of the conditioning vector; Vaswani et al., arXiv 1706.03762 section 3.5.
 */
export function timestepEmbedding(
  device: Device,
  tau: number,
  width: number,
  dtype: FloatDType,
): Tensor {
  const half = width / 2;
  const values = new Float32Array(width);
  for (let j = 0; j < half; j++) {
    const exponent = Math.fround(Math.fround(-Math.log(MAX_PERIOD) * j) / half);
    const angle = Math.fround(Math.fround(tau) * Math.fround(Math.exp(exponent)));
    values[j] = Math.cos(angle);
    values[half + j] = Math.sin(angle);
  }
  return fromArray(device, values, [1, width], dtype);
}
