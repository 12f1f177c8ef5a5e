import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { estimatedChange, StepCache } from '../../src/sampling/step-cache.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';

// A new device for each test: its memory count must not depend on what earlier tests left to the collector.
let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const tensor = (value: number): Tensor => fromArray(device, [value, value], [1, 1, 2], 'f32');

/** Feeds constants as modulated inputs; blocks add 10 at the first computation, 20 at the second, and so on. */
async function follow(cache: StepCache, modulated: readonly number[]): Promise<number[]> {
  let computed = 0;
  const added: number[] = [];
  for (const value of modulated) {
    const output = await scope(() =>
      cache.run({
        modulated: tensor(value),
        input: tensor(value),
        compute: () => tensor(value + 10 * ++computed),
      }),
    );
    added.push(Math.round((await output.readFloat32())[0]! - value));
    output.dispose();
  }
  return added;
}

describe('StepCache', () => {
  it('skips while the estimated changes add up to less than the threshold', async () => {
    using cache = new StepCache({ numSteps: 8, threshold: 0.15 });
    const inputs = [100, 102, 104, 106, 108, 110, 112, 114];
    // Changes near 2 % are estimated at about 0.057 each: two are skipped, the third is computed.
    expect(3 * estimatedChange(0.019)).toBeGreaterThan(0.15);
    expect(await follow(cache, inputs)).toEqual([10, 10, 10, 20, 20, 20, 30, 40]);
    expect(cache.numSkipped).toBe(4);
  });

  it('measures each change against the step before, skipped or not', async () => {
    using cache = new StepCache({ numSteps: 5, threshold: 0.3 });
    // 30 % in one step is estimated above 0.3; 1 % steps after it start from zero again.
    expect(await follow(cache, [100, 130, 131, 132, 133])).toEqual([10, 20, 20, 20, 30]);
  });

  it('always computes the first and the last step, and never skips at threshold 0', async () => {
    using cache = new StepCache({ numSteps: 2, threshold: 100 });
    expect(await follow(cache, [1, 1])).toEqual([10, 20]);
    using strict = new StepCache({ numSteps: 4, threshold: 0 });
    expect(await follow(strict, [1, 1, 1, 1])).toEqual([10, 20, 30, 40]);
  });

  it('starts again for the next run', async () => {
    using cache = new StepCache({ numSteps: 3, threshold: 100 });
    expect(await follow(cache, [1, 1, 1, 1, 1, 1])).toEqual([10, 10, 20, 30, 30, 40]);
  });

  it('keeps two instances apart', async () => {
    using positive = new StepCache({ numSteps: 4, threshold: 0.15 });
    using negative = new StepCache({ numSteps: 4, threshold: 0.15 });
    expect(await follow(positive, [100, 101])).toEqual([10, 10]);
    expect(await follow(negative, [500])).toEqual([10]);
    expect(await follow(positive, [102])).toEqual([10]);
    expect([positive.numSkipped, negative.numSkipped]).toEqual([2, 0]);
  });

  it('holds two tensors and frees them', async () => {
    const before = device.memory().liveTensors;
    const cache = new StepCache({ numSteps: 4, threshold: 0.15 });
    await follow(cache, [1, 1, 1]);
    expect(device.memory().liveTensors - before).toBe(2);
    cache.dispose();
    cache.dispose();
    expect(device.memory().liveTensors).toBe(before);
  });
});
