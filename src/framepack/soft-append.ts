import { FramePackError } from '../errors.ts';
import { concat } from '../ops/copy.ts';
import { lerp } from '../ops/elementwise.ts';
import { fromArray, type Tensor } from '../tensor/tensor.ts';

/** Where two stretches of video overlap, and along which axis time runs. */
export interface Overlap {
  readonly numFrames: number;
  readonly axis: number;
}

/**
 * Share of the later stretch in each overlapping frame, from 0 to 1; the earlier one has the rest. A single frame is
 * all earlier.
 */
export function fadeWeights(numFrames: number): Float32Array {
  return Float32Array.from({ length: numFrames }, (_, i) =>
    numFrames === 1 ? 0 : i / (numFrames - 1),
  );
}

/**
 * Joins two stretches of video whose last and first frames show the same moments: those are cross-faded linearly.
 *
 * @param earlier - frames along `overlap.axis`, at least as many as overlap; any float dtype.
 * @param later - as `earlier` except for the number of frames.
 * @returns `earlier + later - overlap` frames in the dtype of the inputs, owned by the current scope.
 * @throws {@link FramePackError} `ERR_SHAPE` when a stretch is shorter than the overlap.
 * @see upstream soft_append_bcthw (diffusers_helper/utils.py at 97fe5db)
 */
export function softAppend<T extends Tensor>(earlier: T, later: T, overlap: Overlap): T {
  const { numFrames, axis } = overlap;
  const numEarlier = earlier.shape[axis] ?? 0;
  const numLater = later.shape[axis] ?? 0;
  if (numFrames < 0 || numFrames > Math.min(numEarlier, numLater)) {
    throw new FramePackError(
      'ERR_SHAPE',
      `softAppend: overlap expected at most ${Math.min(numEarlier, numLater)} frames, got ${numFrames}`,
    );
  }
  if (numFrames === 0) return concat([earlier, later], axis) as T;
  const weightShape = earlier.shape.map((_, i) => (i === axis ? numFrames : 1));
  const weights = fromArray(earlier.device, fadeWeights(numFrames), weightShape, 'f32');
  const blended = lerp(
    earlier.slice(axis, numEarlier - numFrames),
    later.slice(axis, 0, numFrames),
    weights,
  );
  const before = earlier.slice(axis, 0, numEarlier - numFrames);
  const after = later.slice(axis, numFrames);
  const parts = [before, blended, after].filter((part) => part.size > 0);
  return concat(parts, axis) as T;
}
