import { describe, expect, test } from 'vitest';
import { rgbToI420 } from '../../src/media/colour.ts';
import { patternImage } from './sample-media.ts';

describe('rgbToI420', () => {
  const flat = (red: number, green: number, blue: number): number[] => {
    const planes = rgbToI420(
      Uint8Array.from({ length: 12 }, (_, i) => [red, green, blue][i % 3]!),
      2,
      2,
    );
    return [planes[0]!, planes[4]!, planes[5]!];
  };

  // 75 % and 100 % bars, as tabulated for 8-bit BT.709.
  test.each([
    ['white', [255, 255, 255], [235, 128, 128]],
    ['black', [0, 0, 0], [16, 128, 128]],
    ['red', [255, 0, 0], [63, 102, 240]],
    ['green', [0, 255, 0], [173, 42, 26]],
    ['blue', [0, 0, 255], [32, 240, 118]],
    ['yellow', [255, 255, 0], [219, 16, 138]],
    ['cyan', [0, 255, 255], [188, 154, 16]],
    ['magenta', [255, 0, 255], [78, 214, 230]],
  ] as const)('%s', (_, [red, green, blue], expected) => {
    expect(flat(red, green, blue)).toEqual(expected);
  });

  test('agrees with the matrix for a grid of all colours', () => {
    // Y' = 0.2126 R + 0.7152 G + 0.0722 B; Cb = (B - Y') / 1.8556; Cr = (R - Y') / 1.5748.
    const levels = Array.from({ length: 18 }, (_, i) => i * 15);
    for (const r of levels) {
      for (const g of levels) {
        for (const b of levels) {
          const y = (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
          const exact = [
            16 + 219 * y,
            128 + (224 * (b / 255 - y)) / 1.8556,
            128 + (224 * (r / 255 - y)) / 1.5748,
          ];
          const worst = Math.max(...flat(r, g, b).map((v, i) => Math.abs(v - exact[i]!)));
          expect(worst).toBeLessThan(0.5 + 1e-9);
        }
      }
    }
  });

  test('chroma is the mean of a block, planes follow each other', () => {
    const { data } = patternImage(4, 2);
    const planes = rgbToI420(data, 4, 2);
    expect(planes).toHaveLength(8 + 2 + 2);
    const mean = (channel: number, column: number): number =>
      [column, column + 1, column + 4, column + 5]
        .map((pixel) => data[pixel * 3 + channel]!)
        .reduce((sum, value) => sum + value) / 4;
    const [r, g, b] = [mean(0, 2), mean(1, 2), mean(2, 2)] as const;
    const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    expect(planes[9]).toBe(Math.round(128 + ((224 / 255) * (b - y)) / 1.8556));
    expect(planes[11]).toBe(Math.round(128 + ((224 / 255) * (r - y)) / 1.5748));
  });
});
