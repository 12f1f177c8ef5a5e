import { afterAll, beforeAll, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { SelfAttention } from '../../src/nn/attention.ts';
import { CausalConv3d } from '../../src/nn/causal-conv3d.ts';
import { EncoderLayer } from '../../src/nn/encoder-layer.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Mlp } from '../../src/nn/mlp.ts';
import { GroupNorm, LayerNorm, RmsNorm } from '../../src/nn/norm.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Checkpoint } from '../../src/weights/checkpoint.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

const WIDTH = 4;
const PROJECTIONS = ['q_proj', 'k_proj', 'v_proj', 'out_proj'];
const NAMES = { q: 'q_proj', k: 'k_proj', v: 'v_proj', out: 'out_proj' };

/** Everything that the calls of {@link loadExamples} take. */
const LOADED_SHAPES: Readonly<Record<string, readonly number[]>> = {
  weight: [WIDTH, WIDTH],
  bias: [WIDTH],
  'norm.weight': [WIDTH],
  'norm.bias': [WIDTH],
  'conv.weight': [WIDTH, WIDTH, 3, 3, 3],
  'conv.bias': [WIDTH],
  ...Object.fromEntries(
    [...PROJECTIONS.map((name) => `self_attn.${name}`), 'mlp.fc1', 'mlp.fc2'].flatMap((layer) => [
      [`${layer}.weight`, [WIDTH, WIDTH]],
      [`${layer}.bias`, [WIDTH]],
    ]),
  ),
  ...Object.fromEntries(
    ['layer_norm1', 'layer_norm2'].flatMap((layer) => [
      [`${layer}.weight`, [WIDTH]],
      [`${layer}.bias`, [WIDTH]],
    ]),
  ),
};

/** The `load()` of every layer, with arguments that it takes. */
function loadExamples(checkpoint: Checkpoint) {
  const weights = checkpoint.scope();
  const norm = weights.at('norm');
  const linear = { inFeatures: WIDTH, outFeatures: WIDTH };
  const mlp = {
    ...{ names: ['fc1', 'fc2'], activation: 'silu' },
    ...{ inFeatures: WIDTH, hiddenFeatures: WIDTH, outFeatures: WIDTH },
  };
  const attention = { width: WIDTH, headWidth: 2 };
  const encoder = { ...attention, hiddenWidth: WIDTH, eps: 1e-6, activation: 'silu' };
  const convolution = { inChannels: WIDTH, outChannels: WIDTH, kernel: 3 };
  return [
    { layer: Linear, args: [weights, linear] },
    { layer: LayerNorm, args: [norm, WIDTH, 1e-6] },
    { layer: RmsNorm, args: [norm, WIDTH, 1e-6] },
    { layer: GroupNorm, args: [norm, WIDTH, { groups: 2, eps: 1e-6 }] },
    { layer: CausalConv3d, args: [weights.at('conv'), convolution] },
    { layer: SelfAttention, args: [weights.at('self_attn'), NAMES, attention] },
    { layer: Mlp, args: [weights.at('mlp'), mlp] },
    { layer: EncoderLayer, args: [weights, encoder] },
  ] as const;
}

const BAD = [undefined, null, Number.NaN, -1, 1.5, 'x', true, [], {}, Symbol('s'), 10n];

/** Argument lists with the weights, the names or the shape replaced, or left out. */
function* replacements(args: readonly unknown[]): Generator<unknown[]> {
  for (const bad of BAD) {
    for (const [index, value] of args.entries()) {
      if (index === 0 || typeof value === 'object') yield args.toSpliced(index, 1, bad);
    }
  }
}

function thrownBy(call: () => unknown): unknown {
  try {
    scope(call);
    return undefined;
  } catch (error) {
    return error;
  }
}

test('load() of every layer refuses what is no weights and no shape with a coded error', async () => {
  await withWeights(device, LOADED_SHAPES, async (checkpoint) => {
    for (const { layer, args } of loadExamples(checkpoint)) {
      const load = layer.load as (...given: unknown[]) => unknown;
      const call = (given: readonly unknown[]) => () => load.apply(layer, [...given]);
      expect(thrownBy(call(args)), layer.name).toBeUndefined();
      const errors = [...replacements(args)].map((list) => thrownBy(call(list)));
      const thrown = errors.filter((error) => error !== undefined);
      expect(
        thrown.filter((error) => !(error instanceof FramePackError)),
        layer.name,
      ).toEqual([]);
      expect(thrown.length, layer.name).toBeGreaterThanOrEqual(BAD.length);
    }
    await device.synchronize();
  });
});
