import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { add } from '../../../src/ops/elementwise.ts';
import { estimatedChange, TeaCache } from '../../../src/sampling/step-cache/tea-cache.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import decisions from '../../fixtures/golden/caches/decisions.json' with { type: 'json' };
import { expectClose } from '../expect-close.ts';

const TENSORS = fileURLToPath(
  new URL('../../fixtures/golden/caches/tea-cache.safetensors', import.meta.url),
);

// A new device for each test: its memory count must not depend on what earlier tests left to the collector.
let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const tensor = (value: number): Tensor => fromArray(device, [value, value], [1, 1, 2], 'f32');

function unused(): never {
  throw new Error('not what this cache decides by');
}

/** Feeds constants as modulated inputs; blocks add 10 at the first computation, 20 at the second, and so on. */
async function follow(cache: TeaCache, modulated: readonly number[]): Promise<number[]> {
  let computed = 0;
  const added: number[] = [];
  for (const value of modulated) {
    const output = await scope(() =>
      cache.run({
        input: tensor(value),
        modulated: () => tensor(value),
        blocks: async () => tensor(value + 10 * ++computed),
        firstBlock: () => unused(),
      }),
    );
    added.push(Math.round((await output.readFloat32())[0]! - value));
    output.dispose();
  }
  return added;
}

describe('TeaCache', () => {
  it('skips while the estimated changes add up to less than the threshold', async () => {
    using cache = new TeaCache({ numSteps: 8, threshold: 0.15 });
    const inputs = [100, 102, 104, 106, 108, 110, 112, 114];
    // Changes near 2 % are estimated at about 0.057 each: two are skipped, the third is computed.
    expect(3 * estimatedChange(0.019)).toBeGreaterThan(0.15);
    expect(await follow(cache, inputs)).toEqual([10, 10, 10, 20, 20, 20, 30, 40]);
    expect(cache.numSkipped).toBe(4);
  });

  it('measures each change against the step before, skipped or not', async () => {
    using cache = new TeaCache({ numSteps: 5, threshold: 0.3 });
    // 30 % in one step is estimated above 0.3; 1 % steps after it start from zero again.
    expect(await follow(cache, [100, 130, 131, 132, 133])).toEqual([10, 20, 20, 20, 30]);
  });

  it('always computes the first and the last step, and never skips at threshold 0', async () => {
    using cache = new TeaCache({ numSteps: 2, threshold: 100 });
    expect(await follow(cache, [1, 1])).toEqual([10, 20]);
    using strict = new TeaCache({ numSteps: 4, threshold: 0 });
    expect(await follow(strict, [1, 1, 1, 1])).toEqual([10, 20, 30, 40]);
  });

  it('starts again for the next run', async () => {
    using cache = new TeaCache({ numSteps: 3, threshold: 100 });
    expect(await follow(cache, [1, 1, 1, 1, 1, 1])).toEqual([10, 10, 20, 30, 30, 40]);
  });

  it('keeps two instances apart', async () => {
    using positive = new TeaCache({ numSteps: 4, threshold: 0.15 });
    using negative = new TeaCache({ numSteps: 4, threshold: 0.15 });
    expect(await follow(positive, [100, 101])).toEqual([10, 10]);
    expect(await follow(negative, [500])).toEqual([10]);
    expect(await follow(positive, [102])).toEqual([10]);
    expect([positive.numSkipped, negative.numSkipped]).toEqual([2, 0]);
  });

  it('holds two tensors and frees them', async () => {
    const before = device.memory().liveTensors;
    const cache = new TeaCache({ numSteps: 4, threshold: 0.15 });
    await follow(cache, [1, 1, 1]);
    expect(device.memory().liveTensors - before).toBe(2);
    cache[Symbol.dispose]();
    cache[Symbol.dispose]();
    expect(device.memory().liveTensors).toBe(before);
  });
});

describe.each(decisions.teaCache)('$name of the reference', ({ name, numSteps, ...expected }) => {
  it('is decided alike, with the same sums and the same output', async () => {
    const checkpoint = await Checkpoint.open(device, TENSORS);
    const [modulated, residual, out] = ['modulated', 'residual', 'out'].map((part) =>
      checkpoint.take(`${name}.${part}`, checkpoint.shapeOf(`${name}.${part}`)),
    ) as [Tensor, Tensor, Tensor];
    using cache = new TeaCache({ numSteps, threshold: expected.threshold });
    const skipped: number[] = [];
    for (let step = 0; step < numSteps; step++) {
      await scope(async () => {
        const added = residual.slice(0, step, step + 1).squeeze(0);
        const input = fromArray(device, new Float32Array(added.size).fill(1), added.shape, 'f32');
        let ran = false;
        const output = await cache.run({
          input,
          modulated: () => modulated.slice(0, step, step + 1).squeeze(0),
          blocks: async () => {
            ran = true;
            return add(input, added);
          },
          firstBlock: unused,
        });
        if (!ran) skipped.push(step);
        // Channels stand first in the recorded output.
        const rows = out.slice(0, step, step + 1).reshape([4, 6]);
        const columns = transpose(await output.readFloat32());
        expectClose(columns, await rows.readFloat32(), 2e-5);
        expect(cache.accumulatedChange).toBeCloseTo(expected.accumulated[step]!, 6);
      });
    }
    expect(skipped).toEqual(expected.skipped);
  });
});

/** `[6, 4]` to `[4, 6]`. */
function transpose(values: Float32Array): Float32Array {
  return values.map((_, index) => values[(index % 6) * 4 + Math.floor(index / 6)]!);
}
