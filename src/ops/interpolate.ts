import { checkChoice, checkDType, checkShape, checkTensor, checkWhole } from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { type FloatTensor, fromArray, type Tensor } from '../tensor/tensor.ts';
import { cast } from './copy.ts';
import { lerp } from './elementwise.ts';
import { take } from './indexing.ts';

const METHODS = ['nearest', 'bilinear'] as const;

/** How {@link interpolate} finds values between pixels. */
export type InterpolateMethod = (typeof METHODS)[number];

/**
 * Channels-last pictures in another size. `nearest` takes pixel `floor(i * extent / size)`; `bilinear` mixes the two
 * pixels around `(i + 0.5) * extent / size - 0.5` along either axis, in f32, rounded once. Both are those of PyTorch's
 * `interpolate` without `align_corners`; shrinking does not average.
 *
 * @param x - `[B, H, W, C]`, any float dtype, at least one pixel.
 * @param size - `[H', W']`.
 * @returns `[B, H', W', C]`, dtype of `x`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_DISPOSED`.
 */
export function interpolate<D extends DType>(
  x: FloatTensor<D>,
  size: readonly [number, number],
  method: InterpolateMethod = 'nearest',
): Tensor<D> {
  checkTensor('interpolate', 'x', x);
  checkDType('interpolate', 'x', x);
  checkShape('interpolate', 'x', x, [null, null, null, null]);
  checkChoice('interpolate', 'method', method, METHODS);
  checkWhole('interpolate', 'size.length', size?.length, 2, 2);
  for (const axis of [0, 1] as const) {
    checkWhole('interpolate', `size[${axis}]`, size[axis], 0);
    checkWhole('interpolate', `x.shape[${axis + 1}]`, x.shape[axis + 1]!, 1);
  }
  if (method === 'nearest') {
    using rows = take<D>(x, nearestPositions(x.shape[1]!, size[0]), 1);
    return take(rows, nearestPositions(x.shape[2]!, size[1]), 2);
  }
  using wide = cast(x, 'f32');
  using rows = mix(wide, 1, size[0]);
  using columns = mix(rows, 2, size[1]);
  return cast(columns, x.dtype);
}

function nearestPositions(extent: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor((i * extent) / size));
}

/** Two neighbours of every position along an axis, by their distances. */
function mix(x: Tensor<'f32'>, axis: number, size: number): Tensor<'f32'> {
  const extent = x.shape[axis]!;
  const places = Array.from({ length: size }, (_, i) =>
    Math.max(((i + 0.5) * extent) / size - 0.5, 0),
  );
  const low = places.map((place) => Math.min(Math.floor(place), extent - 1));
  const high = low.map((position) => Math.min(position + 1, extent - 1));
  const shares = places.map((place, i) => place - low[i]!);
  using before = take(x, low, axis);
  using after = take(x, high, axis);
  using weight = fromArray(x.device, shares, along(axis, size), 'f32');
  return lerp(before, after, weight);
}

/** The shape of numbers that vary along one of four axes. */
function along(axis: number, size: number): number[] {
  return [1, 1, 1, 1].with(axis, size);
}
