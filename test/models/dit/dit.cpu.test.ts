import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DoubleBlock } from '../../../src/models/dit/blocks.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit, type DitInputs } from '../../../src/models/dit/dit.ts';
import type { ContextFrames } from '../../../src/models/dit/packed-context.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { maxAbsError } from '../../golden/report.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';
import { ditInputs } from './dit-inputs.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));

async function withDit<T>(
  use: (dit: Dit, inputs: DitInputs) => Promise<T>,
  numResident?: number,
): Promise<T> {
  const checkpoint = await tinyWeights(device, 'transformer');
  return scope(async () => {
    const dit = Dit.load(checkpoint.scope(), config, 'f32', numResident);
    if (numResident === undefined) checkpoint.assertUsed();
    return use(dit, ditInputs(device, config));
  });
}

async function largestBlockBytes(): Promise<number> {
  const checkpoint = await tinyWeights(device, 'transformer');
  return scope(() => {
    const before = device.memory().currentBytes;
    void DoubleBlock.load(checkpoint.scope('transformer_blocks.0'), config);
    return device.memory().currentBytes - before;
  });
}

describe('Dit', () => {
  it('returns a velocity of the shape of the section and frees the rest', async () => {
    await withDit(async (dit, inputs) => {
      const before = device.memory().liveTensors;
      const velocity = await dit.forward(inputs);
      expect(velocity.shape).toEqual(inputs.frames.target.latents.shape);
      expect(velocity.dtype).toBe('f32');
      expect(device.memory().liveTensors).toBe(before + 1);
    });
    expect(device.memory().liveTensors).toBe(0);
  });

  it('is the same in stages as in one call', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const staged = dit.head(await dit.blocks(embedding), embedding);
      const whole = await dit.forward(inputs);
      expect(await staged.read()).toEqual(await whole.read());
    });
  });

  it('hears its context: 1x, 2x and 4x frames and their positions', async () => {
    await withDit(async (dit, inputs) => {
      const reference = await (await dit.forward(inputs)).read();
      const { frames } = inputs;
      for (const [index, group] of frames.context.entries()) {
        const withContext = (...context: ContextFrames[]) => ({
          ...inputs,
          frames: { ...frames, context: frames.context.toSpliced(index, 1, ...context) },
        });
        const without = await (await dit.forward(withContext())).read();
        expect(maxAbsError(without, reference)).toBeGreaterThan(1e-4);
        const moved = {
          ...group,
          frameIndices: group.frameIndices.map((position) => position + 7),
        };
        const changed = await (await dit.forward(withContext(moved))).read();
        expect(maxAbsError(changed, reference)).toBeGreaterThan(1e-4);
      }
    });
  });

  it('paces every block and stops where the pace rejects', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const before = device.memory().liveTensors;
      let calls = 0;
      const pace = async (): Promise<void> => {
        calls += 1;
        if (calls === 13) throw new Error('stop');
      };
      await expect(dit.blocks(embedding, { pace })).rejects.toThrow('stop');
      expect(calls).toBe(13);
      expect(device.memory().liveTensors).toBe(before);
    });
  });
});

describe('blocks of Dit', () => {
  it('do not hold more for more of them', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const live: number[] = [];
      const pace = async (): Promise<void> => void live.push(device.memory().liveTensors);
      await dit.blocks(embedding, { pace });
      const { numDoubleBlocks, numSingleBlocks } = config;
      const ofBlocks = live.slice(numDoubleBlocks + numSingleBlocks);
      // After the first of each kind, every further block sees the same number.
      expect(ofBlocks).toHaveLength(numDoubleBlocks + numSingleBlocks);
      expect(new Set(ofBlocks.slice(1, numDoubleBlocks)).size).toBe(1);
      expect(new Set(ofBlocks.slice(numDoubleBlocks + 1)).size).toBe(1);
    });
  });

  it.each([0, 1, 4, 9, 14, 18])(
    'give the same bits with %d of 18 parts resident',
    async (numResident) => {
      const run = (resident?: number) =>
        withDit(async (dit, inputs) => {
          const heldBytes = device.memory().currentBytes;
          device.resetPeak();
          const embedding = dit.embed(inputs);
          const after = dit.firstBlock(embedding);
          const modulated = dit.modulatedInput(embedding);
          const tensors = [
            dit.head(await dit.blocks(embedding), embedding),
            dit.head(await dit.blocks(embedding, { after }), embedding),
            modulated,
          ];
          const liveBytes = device.memory().currentBytes - heldBytes;
          const values = await Promise.all(tensors.map((tensor) => tensor.read()));
          return { values, heldBytes, liveBytes, leftOver: dit.leftOver };
        }, resident);
      const [all, some] = [await run(), await run(numResident)];
      expect(some.values).toEqual(all.values);
      expect(some.leftOver).toEqual([]);
      // Nothing of a block stays behind a pass through it.
      expect(some.liveBytes).toBe(all.liveBytes);
      if (numResident < 18) expect(some.heldBytes).toBeLessThan(all.heldBytes);
      else expect(some.heldBytes).toBe(all.heldBytes);
      expect(device.memory().liveTensors).toBe(0);
    },
  );

  it('are at most two on the device besides those that stay', async () => {
    const peakOver = (numResident?: number) =>
      withDit(async (dit, inputs) => {
        const embedding = dit.embed(inputs);
        device.resetPeak();
        const before = device.memory().currentBytes;
        await dit.blocks(embedding);
        return device.memory().peakBytes - before;
      }, numResident);
    const blockBytes = await largestBlockBytes();
    const [resident, streamed] = [await peakOver(), await peakOver(0)];
    expect(streamed - resident).toBeGreaterThan(0.9 * blockBytes);
    expect(streamed - resident).toBeLessThanOrEqual(2 * blockBytes);
  });

  it('measure change on the first modulated input', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const modulated = dit.modulatedInput(embedding);
      expect(modulated.shape).toEqual(embedding.image.shape);
    });
  });
});
