import { afterEach, beforeEach, expect, test } from 'vitest';
import { MagCache } from '../../../src/sampling/step-cache/mag-cache.ts';
import { MAG_CACHE_RULES } from '../../../src/sampling/step-cache/mag-schedule.ts';
import { Device } from '../../../src/tensor/device.ts';
import { follow } from './fake-blocks.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const options = {
  numSteps: 5,
  ratios: [1, 1, 1, 1, 1],
  threshold: 0.1,
  maxSkips: 2,
  retention: 0,
  rule: MAG_CACHE_RULES.musubi,
};
const step = (input: number) => ({ input, first: 1, second: input });

test('adds the residual of the last computed step, and starts again for the next run', async () => {
  using cache = new MagCache(options);
  const run = [step(10), step(20), step(30), step(40), step(50)];
  const computed = { isComputed: true };
  const expected = [
    { output: 21, ...computed },
    { output: 31, isComputed: false },
    { output: 41, isComputed: false },
    { output: 81, ...computed },
    { output: 101, ...computed },
  ];
  expect(await follow(device, cache, run)).toEqual(expected);
  expect(await follow(device, cache, run)).toEqual(expected);
  expect(cache.numSkipped).toBe(4);
});

test('holds one tensor and frees it', async () => {
  const before = device.memory().liveTensors;
  const cache = new MagCache(options);
  await follow(device, cache, [step(1), step(2)]);
  expect(device.memory().liveTensors - before).toBe(1);
  cache[Symbol.dispose]();
  cache[Symbol.dispose]();
  expect(device.memory().liveTensors).toBe(before);
});
