import { describe, expect, it } from 'vitest';
import { conditioningNumber } from '../../src/sampling/denoiser.ts';
import { sigmaSchedule } from '../../src/sampling/schedule.ts';

describe('conditioningNumber', () => {
  it('gives the timesteps that the official app feeds its bf16 network', () => {
    const sigmas = sigmaSchedule(25, Math.log(7)).slice(0, 25);
    expect(Array.from(sigmas, (sigma) => conditioningNumber(sigma, 'bf16'))).toEqual([
      1000, 996, 988, 980, 972, 964, 956, 948, 936, 924, 912, 900, 884, 864, 848, 824, 796, 768,
      732, 688, 636, 572, 488, 378, 226,
    ]);
  });

  it('gives the distilled guidance, rounded for bf16 and exact for f32', () => {
    expect([10, 6, 9].map((scale) => conditioningNumber(scale, 'bf16'))).toEqual([
      9984, 6016, 9024,
    ]);
    expect([10, 6, 9].map((scale) => conditioningNumber(scale, 'f32'))).toEqual([
      10000, 6000, 9000,
    ]);
    expect(conditioningNumber(0.99408275, 'f32')).toBe(Math.fround(Math.fround(0.99408275) * 1000));
  });
});
