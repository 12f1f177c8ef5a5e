import { describe, expect, it } from 'vitest';
import { roundTo } from '../../src/sampling/rounding.ts';

describe('roundTo', () => {
  it('keeps f32 numbers in f32', () => {
    expect(roundTo(0.1, 'f32')).toBe(Math.fround(0.1));
    expect(roundTo(10000, 'f32')).toBe(10000);
  });

  it('rounds to the nearest bf16 or f16, ties to even', () => {
    expect(roundTo(994, 'bf16')).toBe(992);
    expect(roundTo(998, 'bf16')).toBe(1000);
    expect(roundTo(10000, 'bf16')).toBe(9984);
    expect(roundTo(10002, 'f16')).toBe(10000);
    expect(roundTo(2049, 'f16')).toBe(2048);
    expect(roundTo(-0.1, 'f16')).toBe(-0.0999755859375);
  });
});
