import { describe, expect, it } from 'vitest';
import { fittedPicture, madeUpPicture } from '../../../src/pipeline/inputs/start-picture.ts';
import { PICTURE } from '../tiny-request.ts';

const info = { buckets: [{ height: 96, width: 128 }] };

describe('fittedPicture', () => {
  it('has a size of the checkpoint', async () => {
    expect(await fittedPicture(PICTURE, info)).toMatchObject({ width: 128, height: 96 });
  });
});

describe('madeUpPicture', () => {
  it.each([
    ['grey', 128],
    ['black', 0],
    ['white', 255],
  ] as const)('%s is flat', (start, level) => {
    const { width, height, data } = madeUpPicture(start, 1, info);
    expect({ width, height, size: data.length }).toEqual({ width: 128, height: 96, size: 36_864 });
    expect(new Set(data)).toEqual(new Set([level]));
  });

  it('noise is grey on average, spread, and depends on the seed alone', () => {
    const { data } = madeUpPicture('noise', 7n, info);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean - 128)).toBeLessThan(2);
    expect(new Set(data).size).toBeGreaterThan(200);
    expect(madeUpPicture('noise', 7, info).data).toEqual(data);
    expect(madeUpPicture('noise', 8, info).data).not.toEqual(data);
  });
});
