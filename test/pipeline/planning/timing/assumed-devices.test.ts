import { describe, expect, test } from 'vitest';
import {
  ASSUMED_DEVICES,
  peakRates,
} from '../../../../src/pipeline/planning/timing/assumed-devices.ts';

describe('peakRates', () => {
  test.each(ASSUMED_DEVICES)('of %s are plausible in their units', (device) => {
    const { flopsPerSecond, movedBytesPerSecond, uploadBytesPerSecond, source } = peakRates(device);
    expect(source).toBe('peak');
    for (const kind of ['product', 'attention', 'convolution'] as const) {
      expect(flopsPerSecond[`${kind} f32`]).toBeGreaterThan(1e13);
      expect(flopsPerSecond[`${kind} f16`]! / flopsPerSecond[`${kind} f32`]!).toBeGreaterThan(1.9);
      expect(flopsPerSecond[`${kind} bf16`]).toBe(flopsPerSecond[`${kind} f16`]);
    }
    // Tensor cores need tens to hundreds of operations for each byte.
    const ridge = flopsPerSecond['product f16']! / movedBytesPerSecond;
    expect(ridge).toBeGreaterThan(50);
    expect(ridge).toBeLessThan(400);
    expect(uploadBytesPerSecond!).toBeLessThan(movedBytesPerSecond / 5);
  });

  test('the roof of the kernels is the same number', () => {
    const { flopsPerSecond, movedBytesPerSecond } = peakRates('rtx4090');
    expect(flopsPerSecond['product bf16']).toBeCloseTo(165.2e12, -9);
    expect(movedBytesPerSecond).toBe(1008e9);
  });
});
