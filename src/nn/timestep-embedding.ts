import { checkFinite, checkWhole } from '../tensor/check.ts';
import { checkDevice, type Device } from '../tensor/device.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { fromArray, type Tensor } from '../tensor/tensor.ts';

/** Far beyond every network. */
const MAX_WIDTH = 65_536;

/** -ln 10000, rounded to f32. */
const LOG_FREQUENCY_RANGE = Math.fround(-Math.log(10_000));

/**
 * Frequencies, by their number, that the reference has one unit in the last place above the correctly rounded value.
 *
 * It evaluates exp in f32 with Intel's vector library, which is allowed to miss by a little over half a unit. Guidance
 * is embedded at 10000, where one unit of a frequency moves the angle by 6e-4, and all its values go through the
 * model. Found by comparing with the reference's conditioning vectors; other processors miss at other places.
 */
const REFERENCE_ROUNDS_UP: Readonly<Record<number, readonly number[]>> = { 128: [13, 44] };

/**
 * Sinusoidal embedding of a scalar: `width / 2` cosines, then as many sines, of `tau * 10000^(-2 j / width)`.
 *
 * Frequencies and angles are rounded to f32 as the reference does; the result is rounded to `dtype`.
 *
 * @param width - even, at most 65536.
 * @returns `[1, width]`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_DTYPE`.
 * @see Vaswani et al., arXiv 1706.03762 section 3.5; diffusers `get_timestep_embedding` 0.33.
 */
export function timestepEmbedding(
  device: Device,
  tau: number,
  width: number,
  dtype: FloatDType,
): Tensor {
  checkDevice('timestepEmbedding', device);
  checkFinite('timestepEmbedding', 'tau', tau);
  checkWhole('timestepEmbedding', 'width', width, 0, MAX_WIDTH);
  checkWhole('timestepEmbedding', 'width / 2', width / 2, 0);
  const values = new Float32Array(width);
  frequencies(width / 2).forEach((frequency, j) => {
    const angle = Math.fround(Math.fround(tau) * frequency);
    values[j] = Math.cos(angle);
    values[width / 2 + j] = Math.sin(angle);
  });
  return fromArray(device, values, [1, width], dtype);
}

function frequencies(count: number): Float32Array {
  const rounded = Float32Array.from({ length: count }, (_, j) =>
    Math.exp(Math.fround(Math.fround(LOG_FREQUENCY_RANGE * j) / count)),
  );
  const bits = new Uint32Array(rounded.buffer);
  for (const j of REFERENCE_ROUNDS_UP[count] ?? []) bits[j]! += 1;
  return rounded;
}
