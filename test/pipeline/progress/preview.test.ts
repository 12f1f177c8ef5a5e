import { describe, expect, it } from 'vitest';
import { previewLatents } from '../../../src/pipeline/progress/preview.ts';

describe('previewLatents', () => {
  const map = {
    weights: [
      [1, 0, 0],
      [0, 1, 0],
    ],
    bias: [0, 0, 0.5],
    range: { low: -1, high: 1 },
  } as const;

  it('lays frames side by side and clamps', () => {
    // Two channels, two frames of 1 x 2.
    const latents = Float32Array.of(-1, 1, 5, -5, 0, 0, 0, 1);
    const { width, height, data } = previewLatents(latents, [2, 2, 1, 2], map);
    expect({ width, height }).toEqual({ width: 4, height: 1 });
    const pixel = (column: number): number[] => [...data.subarray(column * 3, column * 3 + 3)];
    expect(pixel(0)).toEqual([0, 127, 191]);
    expect(pixel(1)).toEqual([255, 127, 191]);
    expect(pixel(2)).toEqual([255, 127, 191]);
    expect(pixel(3)).toEqual([0, 255, 191]);
  });
});
