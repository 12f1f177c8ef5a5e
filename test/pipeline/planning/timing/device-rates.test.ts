import { describe, expect, test } from 'vitest';
import {
  type DeviceRates,
  secondsOf,
} from '../../../../src/pipeline/planning/timing/device-rates.ts';
import type { WorkTally } from '../../../../src/tensor/work/work-meter.ts';

const RATES: DeviceRates = {
  ...{ name: 'a card', source: 'peak', flopsPerSecond: { 'product bf16': 100 } },
  ...{ movedBytesPerSecond: 10, uploadBytesPerSecond: 5 },
};

describe('secondsOf', () => {
  test('takes the longer of arithmetic and traffic of each kind, and adds the copies', () => {
    const tally: WorkTally = new Map([
      ['product bf16', { flops: 700, movedBytes: 20 }],
      ['memory f32', { flops: 1e9, movedBytes: 30 }],
    ]);
    expect(secondsOf(tally, 40, RATES)).toBe(7 + 3 + 8);
    expect(secondsOf(tally, 40, { ...RATES, movedBytesPerSecond: 1 })).toBe(20 + 30 + 8);
    expect(secondsOf(tally, 40, { ...RATES, uploadBytesPerSecond: null })).toBe(7 + 3);
  });

  test('no work takes no time', () => {
    expect(secondsOf(new Map(), 0, RATES)).toBe(0);
  });
});
