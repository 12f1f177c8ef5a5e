import { describe, expect, it } from 'vitest';
import { flowShiftMu, sigmaSchedule } from '../../src/sampling/schedule.ts';

describe('flowShiftMu', () => {
  it('is clamped to ln 7 for every section of the official sizes', () => {
    expect(flowShiftMu(9, 68, 88)).toBe(Math.log(7));
    expect(flowShiftMu(9, 60, 104)).toBe(Math.log(7));
  });

  it('follows the line for small sections', () => {
    expect(flowShiftMu(1, 68, 88)).toBeCloseTo(0.709896, 6);
    expect(Math.exp(flowShiftMu(1, 68, 88))).toBeCloseTo(2.03378, 5);
    expect(Math.exp(flowShiftMu(9, 48, 80))).toBeCloseTo(6.815, 3);
    expect(Math.exp(flowShiftMu(4, 60, 104))).toBeCloseTo(4.54, 2);
    expect(Math.exp(flowShiftMu(1, 60, 104))).toBeCloseTo(2.056, 3);
  });

  it('binds from 8798 tokens on', () => {
    expect(flowShiftMu(1, 2, 2 * 8797)).toBeLessThan(Math.log(7));
    expect(flowShiftMu(1, 2, 2 * 8798)).toBe(Math.log(7));
  });
});

describe('sigmaSchedule', () => {
  it('matches the official sampler at 25 steps and shift 7', () => {
    const golden = [
      1, 0.99408275, 0.98773009, 0.9808917, 0.97350997, 0.96551722, 0.95683455, 0.94736844,
      0.93700784, 0.92561978, 0.9130435, 0.89908254, 0.88349515, 0.86597931, 0.84615386, 0.82352942,
      0.79746836, 0.76712328, 0.73134327, 0.68852454, 0.63636363, 0.57142854, 0.48837206,
      0.37837839, 0.22580644, 0,
    ];
    const sigmas = sigmaSchedule(25, Math.log(7));
    expect(sigmas).toHaveLength(26);
    for (const [i, sigma] of sigmas.entries()) {
      expect(Math.abs(sigma - golden[i]!)).toBeLessThan(1e-7);
    }
  });

  it('starts at 1, falls, and ends at 0 whatever the shift', () => {
    for (const [numSteps, mu] of [
      [1, 0],
      [2, 1],
      [7, 0.3],
      [100, Math.log(7)],
    ] as const) {
      const sigmas = [...sigmaSchedule(numSteps, mu)];
      expect(sigmas[0]).toBe(1);
      expect(sigmas.at(-1)).toBe(0);
      expect(sigmas).toEqual([...new Set(sigmas)].sort((a, b) => b - a));
    }
    expect([...sigmaSchedule(4, 0)]).toEqual([1, 0.75, 0.5, 0.25, 0]);
  });

  it.each([
    [0, 1],
    [1.5, 1],
    [Number.NaN, 1],
    [4, Number.NaN],
    [4, Number.POSITIVE_INFINITY],
  ])('refuses %d steps with mu %d', (numSteps, mu) => {
    expect(() => sigmaSchedule(numSteps, mu)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
