import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeHeads, SelfAttention, splitHeads } from '../../src/nn/attention.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const NAMES = { q: 'q', k: 'k', v: 'v', out: 'out' };
const SHAPES = Object.fromEntries(
  Object.values(NAMES).flatMap((name) => [
    [`${name}.weight`, [8, 8]],
    [`${name}.bias`, [8]],
  ]),
);

describe('splitHeads and mergeHeads', () => {
  it('are inverse views', async () => {
    const x = new Generator(1).randn(device, [1, 3, 8]);
    const split = splitHeads(x, 4);
    expect(split.shape).toEqual([1, 3, 2, 4]);
    expect(await mergeHeads(split).read()).toEqual(await x.read());
    expect(device.memory().liveTensors).toBe(1);
  });
});

describe('SelfAttention', () => {
  it('takes its projections, and with a causal mask looks back only', async () => {
    await withWeights(device, SHAPES, async (checkpoint) => {
      const layer = SelfAttention.load(checkpoint.scope(), NAMES, { width: 8, headWidth: 4 });
      checkpoint.assertUsed();
      const x = new Generator(2).randn(device, [1, 4, 8]);
      const whole = await layer.forward(x, { mask: 'causal' }).readFloat32();
      const start = await layer.forward(x.slice(1, 0, 2), { mask: 'causal' }).readFloat32();
      start.forEach((value, index) => {
        expect(whole[index]).toBeCloseTo(value, 5);
      });
      expect(await layer.forward(x).readFloat32()).not.toEqual(whole);
    });
  });
});
