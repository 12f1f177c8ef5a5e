import { describe, expect, test } from 'vitest';
import { quantile, summarize } from '../../../bench/harness/statistics.ts';

describe('quantile', () => {
  test('does not ask for sorted samples', () => {
    expect(quantile([30, 10, 20], 0.5)).toBe(20);
  });

  test('lies between two neighbours', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
  });

  test('reaches both ends', () => {
    expect(quantile([5, 1, 9], 0)).toBe(1);
    expect(quantile([5, 1, 9], 1)).toBe(9);
  });

  test('needs a sample', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('summarize', () => {
  test('one outlier moves neither median nor spread', () => {
    const calm = summarize([9, 10, 10, 10, 11, 10, 10]);
    const disturbed = summarize([9, 10, 10, 10, 11, 10, 1000]);
    expect(disturbed.median).toBe(calm.median);
    expect(disturbed.spread).toBeCloseTo(0.05);
  });

  test('the spread is relative', () => {
    const samples = [8, 9, 10, 11, 12];
    expect(summarize(samples)).toEqual({ count: 5, median: 10, spread: 0.2 });
    expect(summarize(samples.map((value) => value * 1000)).spread).toBe(0.2);
  });

  test('one sample has no spread', () => {
    expect(summarize([3])).toEqual({ count: 1, median: 3, spread: 0 });
  });

  test('zeros have no spread', () => {
    expect(summarize([0, 0, 1]).spread).toBe(0);
  });
});
