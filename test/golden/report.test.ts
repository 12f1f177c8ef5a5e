import { describe, expect, it } from 'vitest';
import { formatComparison, maxAbsError, Report, relativeError } from './report.ts';

describe('error measures', () => {
  it('are zero only for equal values', () => {
    expect(relativeError([1, 2], [1, 2])).toBe(0);
    expect(relativeError([1, 2.2], [1, 2])).toBeCloseTo(0.2 / Math.sqrt(5));
    expect(maxAbsError([1, 2.5], [1, 2])).toBe(0.5);
  });

  it('are infinite for NaN and for other lengths', () => {
    for (const measure of [relativeError, maxAbsError]) {
      expect(measure([Number.NaN, 2], [1, 2])).toBe(Number.POSITIVE_INFINITY);
      expect(measure([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe('Report', () => {
  it('fails what is beyond its gate', () => {
    const report = new Report();
    report.relative('case', 'good', { actual: [1], expected: [1] }, 1e-5);
    report.relative('case', 'bad', { actual: [1.1], expected: [1] }, 1e-5);
    report.exact('case', 'ids', { actual: [1, 3], expected: [1, 2] });
    expect(report.failures.map(({ value }) => value)).toEqual(['bad', 'ids']);
    expect(formatComparison(report.failures[0]!)).toMatch(/^FAIL case +bad +relative/);
  });
});
