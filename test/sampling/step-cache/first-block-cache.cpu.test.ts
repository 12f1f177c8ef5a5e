import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FirstBlockCache } from '../../../src/sampling/step-cache/first-block-cache.ts';
import { Device } from '../../../src/tensor/device.ts';
import decisions from '../../fixtures/golden/caches/decisions.json' with { type: 'json' };
import { type FakeStep, follow } from './fake-blocks.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

describe.each(decisions.firstBlockCache)('$name', ({ threshold, difference, skipped }) => {
  test('the recorded changes of the first block are decided alike', async () => {
    using cache = new FirstBlockCache({ threshold });
    const steps: FakeStep[] = [];
    // Changes are recorded against the last computed step.
    let computed = 1;
    for (const [index, change] of difference.entries()) {
      const first = computed * (1 + (change ?? 0));
      if (!skipped.includes(index)) computed = first;
      steps.push({ input: 10, first, second: 5 });
    }
    const results = await follow(device, cache, steps);
    const isSkipped = results.map(({ isComputed }) => !isComputed);
    expect(isSkipped.flatMap((skips, index) => (skips ? [index] : []))).toEqual(skipped);
    expect(cache.numSkipped).toBe(skipped.length);
  });
});

test('a skipped step has its own first block and the others of the last computed step', async () => {
  using cache = new FirstBlockCache({ threshold: 0.1 });
  const results = await follow(device, cache, [
    { input: 10, first: 1, second: 5 },
    { input: 20, first: 1.0625, second: 100 },
    { input: 30, first: 1.25, second: 7 },
  ]);
  expect(results).toEqual([
    { output: 16, isComputed: true },
    { output: 26.0625, isComputed: false },
    { output: 38.25, isComputed: true },
  ]);
});

test('holds two tensors and frees them', async () => {
  const before = device.memory().liveTensors;
  const cache = new FirstBlockCache({ threshold: 1 });
  await follow(device, cache, [
    { input: 1, first: 1, second: 1 },
    { input: 1, first: 1, second: 1 },
  ]);
  expect(device.memory().liveTensors - before).toBe(2);
  cache[Symbol.dispose]();
  cache[Symbol.dispose]();
  expect(device.memory().liveTensors).toBe(before);
});
