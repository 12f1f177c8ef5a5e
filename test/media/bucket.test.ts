import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bucket, cropToBucket, nearestBucket } from '../../src/media/bucket.ts';
import { officialInfo } from '../../src/weights/official/description.ts';
import { fixture, patternImage } from './sample-media.ts';

const BUCKETS_640 = officialInfo(['i2v'], 'i2v').buckets.map(
  ({ height, width }): Bucket => [height, width],
);

describe('nearestBucket', () => {
  test.each([
    [
      [832, 480],
      [480, 832],
    ],
    [
      [1920, 1080],
      [480, 832],
    ],
    [
      [1080, 1920],
      [832, 480],
    ],
    [
      [4000, 1000],
      [416, 960],
    ],
    [
      [1000, 1000],
      [640, 608],
    ],
    [
      [1, 1],
      [640, 608],
    ],
  ] as const)('%j pixels wide and high go to %j', ([width, height], bucket) => {
    expect(nearestBucket({ width, height }, BUCKETS_640)).toEqual(bucket);
  });

  test('the last of equals wins', () => {
    const buckets = [
      [64, 96],
      [96, 64],
    ] as const;
    expect(nearestBucket({ width: 10, height: 10 }, buckets)).toBe(buckets[1]);
    expect(nearestBucket({ width: 10, height: 10 }, buckets.toReversed())).toBe(buckets[0]);
  });

  test('every bucket is its own nearest, with sides of whole 32s', () => {
    for (const bucket of BUCKETS_640) {
      const [height, width] = bucket;
      expect(nearestBucket({ width, height }, BUCKETS_640)).toBe(bucket);
      expect([height % 32, width % 32]).toEqual([0, 0]);
    }
  });
});

describe('cropToBucket', () => {
  const cases = JSON.parse(readFileSync(fixture('media/center-crop.json'), 'utf8')) as {
    width: number;
    height: number;
    bucket: [number, number];
    sha256: string;
  }[];

  test.each(cases)('$width x $height to $bucket equals Pillow', (example) => {
    const { width, height, bucket, sha256 } = example;
    const cropped = cropToBucket(patternImage(width, height), bucket);
    expect([cropped.height, cropped.width]).toEqual(bucket);
    expect(createHash('sha256').update(cropped.data).digest('hex')).toBe(sha256);
  });

  test('a picture of the right size stays as it is', () => {
    const image = patternImage(64, 32);
    expect(cropToBucket(image, [32, 64])).toBe(image);
  });

  test('a very long strip costs no more than what is kept of it', () => {
    const strip = { width: 3_000_000, height: 1, data: new Uint8Array(9_000_000).fill(9) };
    const cropped = cropToBucket(strip, [416, 960]);
    expect(cropped.data).toHaveLength(416 * 960 * 3);
    expect(new Set(cropped.data)).toEqual(new Set([9]));
  });
});
