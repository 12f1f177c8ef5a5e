import { describe, expect, it } from 'vitest';
import {
  countSections,
  decodedFrames,
  encodedFrames,
  overlapFrames,
  sectionPaddings,
  videoFrames,
} from '../../src/framepack/frame-count.ts';

describe('frame counts', () => {
  it('decodes 4 T - 3 frames and encodes them back', () => {
    expect([1, 9, 10, 18, 19].map(decodedFrames)).toEqual([1, 33, 37, 69, 73]);
    expect([1, 33, 37, 69, 73].map(encodedFrames)).toEqual([1, 9, 10, 18, 19]);
    expect(overlapFrames(9)).toBe(33);
  });

  it('makes 36 n + 1 frames', () => {
    expect([1, 4, 25, 50].map((numSections) => videoFrames(numSections, 9))).toEqual([
      37, 145, 901, 1801,
    ]);
  });
});

describe('countSections', () => {
  it.each([
    [0.1, 1],
    [1, 1],
    [1.8, 2],
    [2, 2],
    [3, 2],
    [4, 3],
    [4.2, 4],
    [5, 4],
    [6, 5],
    [10, 8],
    [30, 25],
    [60, 50],
    [120, 100],
  ])('%d s is %i sections', (seconds, numSections) => {
    expect(countSections(seconds, 30, 9)).toBe(numSections);
  });

  it.each([
    [0, 30, 9],
    [-1, 30, 9],
    [Number.NaN, 30, 9],
    [5, Number.POSITIVE_INFINITY, 9],
    [5, 30, 0],
    [5, 30, 4.5],
  ])('refuses %d s, %d fps, windows of %d', (seconds, fps, latentWindowSize) => {
    expect(() => countSections(seconds, fps, latentWindowSize)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('sectionPaddings', () => {
  it('counts down for up to four sections', () => {
    expect(sectionPaddings(1)).toEqual([0]);
    expect(sectionPaddings(2)).toEqual([1, 0]);
    expect(sectionPaddings(4)).toEqual([3, 2, 1, 0]);
  });

  it('keeps to short gaps for more', () => {
    expect(sectionPaddings(5)).toEqual([3, 2, 2, 1, 0]);
    expect(sectionPaddings(8)).toEqual([3, 2, 2, 2, 2, 2, 1, 0]);
    expect(sectionPaddings(100)).toHaveLength(100);
  });
});
