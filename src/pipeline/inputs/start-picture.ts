import { type Bucket, cropToBucket, nearestBucket } from '../../media/bucket.ts';
import { decodeImage, type RgbImage } from '../../media/decode-image.ts';
import { Generator } from '../../tensor/generator.ts';
import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';

/** What a video without a start picture starts from; noise depends on the seed. */
export type StartKind = 'grey' | 'noise' | 'black' | 'white';

/** Of the tiny model's videos only those that start from grey or noise show the prompt; black and white stay so. */
export const DEFAULT_START: StartKind = 'grey';

/**
 * Frames at the start of a video without a picture that are left out: that of the made-up picture, and two latent
 * frames in which it fades.
 */
export const FADING_FRAMES = 9;

const LEVELS: Readonly<Record<Exclude<StartKind, 'noise'>, number>> = {
  grey: 128,
  black: 0,
  white: 255,
};
const NOISE_DEVIATION = 64;

/**
 * The user's picture, scaled and cropped to the nearest size of the checkpoint.
 *
 * @param image - a path, or the bytes of a file.
 * @throws {@link FramePackError} `ERR_IMAGE`.
 */
export async function fittedPicture(
  image: string | Uint8Array,
  info: Pick<CheckpointInfo, 'buckets'>,
): Promise<RgbImage> {
  const buckets = info.buckets.map(({ height, width }): Bucket => [height, width]);
  const decoded = await decodeImage(image);
  return cropToBucket(decoded, nearestBucket(decoded, buckets));
}

/** A made-up picture of the checkpoint's first size. */
export function madeUpPicture(
  start: StartKind,
  seed: number | bigint,
  info: Pick<CheckpointInfo, 'buckets'>,
): RgbImage {
  const { height, width } = info.buckets[0]!;
  const size = height * width * 3;
  const data = new Uint8Array(size);
  if (start !== 'noise') return { width, height, data: data.fill(LEVELS[start]) };
  // Not the seed itself, with which the noise of the first section is drawn.
  const normals = new Generator(BigInt(seed) ^ 0xffffffffn).nextNormals(size);
  const bytes = Uint8ClampedArray.from(normals, (value) => LEVELS.grey + NOISE_DEVIATION * value);
  return { width, height, data: new Uint8Array(bytes.buffer) };
}
