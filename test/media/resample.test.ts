import { describe, expect, test } from 'vitest';
import { BICUBIC, LANCZOS, resample } from '../../src/media/resample.ts';
import { GoldenFile } from '../golden/golden-file.ts';
import { fixture, patternImage } from './sample-media.ts';

const golden = new GoldenFile(fixture('golden/encoders-vae/resample.golden.safetensors'));
const FILTERS = { bicubic: BICUBIC, lanczos: LANCZOS } as const;

function goldenImage(name: string) {
  const [height, width] = golden.shape(name) as [number, number];
  return { width, height, data: golden.bytes(name, 'U8') };
}

describe('resample', () => {
  const cases = golden.names.filter((name) => !name.endsWith('.in'));

  test('the golden file holds both filters', () => {
    expect(cases).toHaveLength(6);
  });

  test.each(cases)('%s is bit-exact', (name) => {
    const [index, filter] = name.split('.') as [string, keyof typeof FILTERS];
    const expected = goldenImage(name);
    const { width, height } = expected;
    expect(resample(goldenImage(`${index}.in`), width, height, FILTERS[filter])).toEqual(expected);
  });

  test.each(Object.entries(FILTERS))(
    'a part of a %s resize equals the part cut out',
    (_, filter) => {
      const image = patternImage(61, 47);
      const whole = resample(image, 40, 90, filter);
      const part = resample(image, 40, 90, filter, { left: 7, top: 31, width: 22, height: 18 });
      const cut = Array.from({ length: 18 }, (_unused, row) => {
        const from = ((31 + row) * 40 + 7) * 3;
        return [...whole.data.subarray(from, from + 22 * 3)];
      });
      expect([...part.data]).toEqual(cut.flat());
    },
  );

  test('the same size returns the same picture', () => {
    const image = patternImage(8, 5);
    expect(resample(image, 8, 5, LANCZOS)).toBe(image);
  });

  test('a size that stays is not filtered', () => {
    const image = patternImage(8, 5);
    const part = resample(image, 8, 5, LANCZOS, { left: 2, top: 1, width: 3, height: 2 });
    expect([...part.data.subarray(0, 9)]).toEqual([...image.data.subarray(30, 39)]);
  });

  test('a flat picture stays flat', () => {
    const image = { width: 9, height: 7, data: new Uint8Array(9 * 7 * 3).fill(201) };
    expect(new Set(resample(image, 31, 3, LANCZOS).data)).toEqual(new Set([201]));
  });

  test('overshoot is clamped', () => {
    const data = Uint8Array.from({ length: 16 * 3 }, (_, i) => (i < 24 ? 0 : 255));
    const { data: wide } = resample({ width: 16, height: 1, data }, 64, 1, LANCZOS);
    const samples = [...wide].filter((_, index) => index % 3 === 0);
    expect(samples[0]).toBe(0);
    expect(samples.at(-1)).toBe(255);
    expect(samples[28]).toBe(0);
  });
});
