import { expect, test } from 'vitest';
import { TransferRate } from '../../../src/hub/download/transfer-rate.ts';

test('is the mean over the last ten seconds, and reports four times a second at most', () => {
  let now = 0;
  const rate = new TransferRate(() => now);
  expect(rate.bytesPerSecond).toBeNull();
  now = 100;
  expect(rate.add(50)).toBe(false);
  now = 500;
  expect(rate.add(50)).toBe(true);
  expect(rate.bytesPerSecond).toBe(200);
  for (now = 1000; now <= 30_000; now += 500) rate.add(1000);
  expect(rate.bytesPerSecond).toBeCloseTo(2000, 5);
});

test('a pause counts', () => {
  let now = 0;
  const rate = new TransferRate(() => now);
  for (now = 500; now <= 5000; now += 500) rate.add(500);
  now = 10_000;
  rate.add(0);
  expect(rate.bytesPerSecond).toBeCloseTo(500, 5);
});
