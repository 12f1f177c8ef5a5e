import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { empty } from '../../src/tensor/tensor.ts';
import { lifetime } from './lifetime.ts';

lifetime('cpu');

const MIB = 2 ** 20;

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

/** Collections of the old space while `work` runs. */
async function countCollections(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      if (kind !== SCAVENGE) count++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  await work();
  await turn();
  observer.disconnect();
  return count;
}

/** `perf_hooks.constants.NODE_PERFORMANCE_GC_MINOR`. */
const SCAVENGE = 1;

test('tensors that come and go do not keep the garbage collector busy', async () => {
  const count = await countCollections(async () => {
    for (let i = 0; i < 100; i++) {
      const tensors = Array.from({ length: 10 }, () => empty(device, [64 * MIB], 'u8'));
      await turn();
      for (const tensor of tensors) tensor.dispose();
    }
  });
  expect(count).toBeLessThan(20);
});

test('forgotten tensors make it collect them', async () => {
  for (let i = 0; i < 2000; i++) {
    empty(device, [4 * MIB], 'u8');
    await turn();
  }
  expect(device.memory().currentBytes).toBeLessThan(4000 * MIB);
});
