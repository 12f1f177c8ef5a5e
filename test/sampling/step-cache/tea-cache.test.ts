import { describe, expect, it } from 'vitest';
import { estimatedChange } from '../../../src/sampling/step-cache/tea-cache.ts';

describe('estimatedChange', () => {
  it.each([
    [0, 0.09612],
    [0.01, 0.07099],
    [0.02, 0.05707],
    [0.05, 0.06204],
    [0.1, 0.1292],
    [0.15, 0.16172],
    [0.2, 0.13373],
    [0.3, 0.34255],
  ])('of %d is %d', (inputChange, change) => {
    expect(estimatedChange(inputChange)).toBeCloseTo(change, 5);
  });

  it('is never so small that more than two steps in a row are skipped at 0.15', () => {
    const smallest = Math.min(...Array.from({ length: 1001 }, (_, i) => estimatedChange(i / 1000)));
    expect(smallest).toBeCloseTo(0.05215, 4);
    expect(3 * smallest).toBeGreaterThan(0.15);
  });
});
