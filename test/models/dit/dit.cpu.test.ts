import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

async function withDit<T>(use: (dit: Dit, inputs: DitInputs) => Promise<T>): Promise<T> {
  const checkpoint = await tinyWeights(device, 'transformer');
  return scope(async () => {
    const dit = Dit.load(checkpoint.scope(), config, 'f32');
    checkpoint.assertUsed();
    return use(dit, ditInputs(device, config));
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
        if (calls === 5) throw new Error('stop');
      };
      await expect(dit.blocks(embedding, { pace })).rejects.toThrow('stop');
      expect(calls).toBe(5);
      expect(device.memory().liveTensors).toBe(before);
    });
  });

  it('does not hold more for more blocks', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const live: number[] = [];
      const pace = async (): Promise<void> => void live.push(device.memory().liveTensors);
      await dit.blocks(embedding, { pace });
      // After the first of each kind, every further block sees the same number.
      expect(new Set(live.slice(1, config.numDoubleBlocks)).size).toBe(1);
      expect(new Set(live.slice(config.numDoubleBlocks + 1)).size).toBe(1);
    });
  });

  it('measures change on the first modulated input', async () => {
    await withDit(async (dit, inputs) => {
      const embedding = dit.embed(inputs);
      const modulated = dit.modulatedInput(embedding);
      expect(modulated.shape).toEqual(embedding.image.shape);
    });
  });
});
