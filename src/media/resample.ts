import type { RgbImage } from './decode-image.ts';

/** A separable filter: its value and the radius outside which it is zero. */
export interface ResampleFilter {
  readonly radius: number;
  readonly weight: (x: number) => number;
}

/** Part of a picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Keys' cubic convolution with a = -0.5. */
export const BICUBIC: ResampleFilter = {
  radius: 2,
  weight: (signed) => {
    const a = -0.5;
    const x = Math.abs(signed);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  },
};

/** Sinc windowed by a sinc three times as wide. */
export const LANCZOS: ResampleFilter = {
  radius: 3,
  weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

/**
 * Resizes to `width` x `height` pixels exactly as Pillow does: antialiased when shrinking, 22-bit
 * fixed-point weights, rows first, each pass rounded to 8 bits, a pass that changes nothing left out.
 *
 * @param keep - The part of the resized picture to return; all of it unless given. Only that part is
 *   computed, so a long strip of a picture costs no more than what is kept of it.
 * @returns `[keep.height, keep.width, 3]`; the input itself when nothing changes.
 * @see Pillow 9.4 to 12.3 `src/libImaging/Resample.c`.
 */
export function resample(
  image: RgbImage,
  width: number,
  height: number,
  filter: ResampleFilter,
  keep: Box = { left: 0, top: 0, width, height },
): RgbImage {
  const isWholeWidth = image.width === width && keep.width === width;
  const isWholeHeight = image.height === height && keep.height === height;
  if (isWholeWidth && isWholeHeight) return image;
  const columns = axisTaps(image.width, width, { start: keep.left, count: keep.width }, filter);
  const rows = axisTaps(image.height, height, { start: keep.top, count: keep.height }, filter);
  const narrowed = isWholeWidth ? image : resampleWidth(image, columns, rows);
  return isWholeHeight ? narrowed : resampleHeight(narrowed, rows);
}

/** Only the rows that the second pass reads are computed; the others stay zero. */
function resampleWidth(image: RgbImage, columns: AxisTaps, rows: AxisTaps): RgbImage {
  const width = columns.first.length;
  const data = new Uint8ClampedArray(width * image.height * 3);
  for (let y = rows.start; y < rows.end; y++) {
    accumulate(image.data.subarray(y * image.width * 3), columns, 3, data.subarray(y * width * 3));
  }
  return { width, height: image.height, data: new Uint8Array(data.buffer) };
}

function resampleHeight(image: RgbImage, rows: AxisTaps): RgbImage {
  const height = rows.first.length;
  const data = new Uint8ClampedArray(image.width * height * 3);
  accumulate(image.data, rows, image.width * 3, data);
  return { width: image.width, height, data: new Uint8Array(data.buffer) };
}

/**
 * `output[o, i] = sum over k of weight[o, k] * input[first[o] + k, i]` for i below `inner`, rounded to the
 * nearest and clamped to 8 bits. The sums stay below 2^31.
 */
function accumulate(
  input: Uint8Array,
  taps: AxisTaps,
  inner: number,
  output: Uint8ClampedArray,
): void {
  for (let position = 0; position < taps.first.length; position++) {
    const numTaps = taps.count[position]!;
    const firstWeight = position * taps.stride;
    const from = taps.first[position]! * inner;
    for (let sample = 0; sample < inner; sample++) {
      let sum = HALF;
      for (let tap = 0; tap < numTaps; tap++) {
        sum += taps.weights[firstWeight + tap]! * input[from + tap * inner + sample]!;
      }
      output[position * inner + sample] = sum >> WEIGHT_BITS;
    }
  }
}

/** For each output position: the first input position, the number of inputs, and their weights. */
interface AxisTaps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `[outputs, stride]`, scaled by 2^22. */
  readonly weights: Int32Array;
  readonly stride: number;
  /** The inputs that are read at all: from `start` up to `end`, not included. */
  readonly start: number;
  readonly end: number;
}

const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);

function axisTaps(
  inputSize: number,
  outputSize: number,
  range: { readonly start: number; readonly count: number },
  filter: ResampleFilter,
): AxisTaps {
  const scale = inputSize / outputSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.radius * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(range.count);
  const count = new Int32Array(range.count);
  const weights = new Int32Array(range.count * stride);
  const exact = new Float64Array(stride);
  for (let output = 0; output < range.count; output++) {
    const center = (range.start + output + 0.5) * scale;
    const low = Math.max(Math.trunc(center - support + 0.5), 0);
    const high = Math.min(Math.trunc(center + support + 0.5), inputSize);
    let sum = 0;
    for (let tap = 0; tap < high - low; tap++) {
      // Pillow multiplies by the reciprocal; dividing would differ in the last bit.
      const value = filter.weight((tap + low - center + 0.5) * (1 / filterScale));
      exact[tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < high - low; tap++) {
      const scaled = ((exact[tap] ?? 0) / sum) * (1 << WEIGHT_BITS);
      weights[output * stride + tap] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
    first[output] = low;
    count[output] = high - low;
  }
  const last = range.count - 1;
  return { first, count, weights, stride, start: first[0]!, end: first[last]! + count[last]! };
}
