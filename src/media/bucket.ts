import type { RgbImage } from './decode-image.ts';
import { LANCZOS, resample } from './resample.ts';

/** A video size a checkpoint was trained at: height and width in pixels, both even. */
export type Bucket = readonly [height: number, width: number];

/**
 * The bucket whose aspect ratio is nearest to the picture's: the least `|height * bw - width * bh|`, the
 * last one among equals.
 *
 * @param buckets - At least one bucket; the order decides ties.
 */
export function nearestBucket(
  image: { readonly width: number; readonly height: number },
  buckets: readonly Bucket[],
): Bucket {
  const distance = ([height, width]: Bucket): number =>
    Math.abs(image.height * width - image.width * height);
  return buckets.reduce((best, bucket) => (distance(bucket) <= distance(best) ? bucket : best));
}

/**
 * Scales the picture until it covers the bucket (Lanczos) and cuts the middle out of it. A picture of the
 * right size stays as it is.
 *
 * @returns `[bucket height, bucket width, 3]`.
 * @see FramePack `diffusers_helper/utils.py` `resize_and_center_crop` at 97fe5db, bit for bit.
 */
export function cropToBucket(image: RgbImage, [height, width]: Bucket): RgbImage {
  if (image.width === width && image.height === height) return image;
  const scale = Math.max(width / image.width, height / image.height);
  const scaledWidth = roundHalfEven(image.width * scale);
  const scaledHeight = roundHalfEven(image.height * scale);
  return resample(image, scaledWidth, scaledHeight, LANCZOS, {
    left: roundHalfEven((scaledWidth - width) / 2),
    top: roundHalfEven((scaledHeight - height) / 2),
    width,
    height,
  });
}

/** Rounds to the nearest integer, halves to the even one, as Python's `round` does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const isHalf = value - floor === 0.5;
  if (!isHalf) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
