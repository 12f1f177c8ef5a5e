import { describe, expect, it } from 'vitest';
import { resolveSeed } from '../../../src/pipeline/inputs/seed.ts';

describe('resolveSeed', () => {
  it.each([
    [0, 0],
    [7n, 7],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [2n ** 53n, 2n ** 53n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
  ])('keeps %s exactly', (seed, resolved) => {
    expect(resolveSeed(seed)).toBe(resolved);
  });

  it.each(['random', -1, -1n] as const)('draws a whole number for %s', (seed) => {
    const drawn = [resolveSeed(seed), resolveSeed(seed)];
    expect(drawn.every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
    expect(drawn[0]).not.toBe(drawn[1]);
  });
});
