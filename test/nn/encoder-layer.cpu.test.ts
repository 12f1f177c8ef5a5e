import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EncoderLayer, runLayers } from '../../src/nn/encoder-layer.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { scope } from '../../src/tensor/scope.ts';
import { withWeights } from './layer-weights.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const vector = (name: string, width: number) => ({ [name]: [width] });
const square = (name: string) => ({ [`${name}.weight`]: [8, 8], ...vector(`${name}.bias`, 8) });
const SHAPES: Record<string, readonly number[]> = {
  ...vector('layer_norm1.weight', 8),
  ...vector('layer_norm1.bias', 8),
  ...vector('layer_norm2.weight', 8),
  ...vector('layer_norm2.bias', 8),
  ...Object.assign({}, ...['q', 'k', 'v', 'out'].map((name) => square(`self_attn.${name}_proj`))),
  'mlp.fc1.weight': [16, 8],
  'mlp.fc1.bias': [16],
  'mlp.fc2.weight': [8, 16],
  'mlp.fc2.bias': [8],
};
const SHAPE = {
  width: 8,
  headWidth: 4,
  hiddenWidth: 16,
  eps: 1e-5,
  activation: 'quick-gelu',
} as const;

describe('EncoderLayer', () => {
  it('takes all its tensors and chains with others, pacing each', async () => {
    await withWeights(device, SHAPES, async (checkpoint) => {
      const layer = EncoderLayer.load(checkpoint.scope(), SHAPE);
      checkpoint.assertUsed();
      const x = new Generator(3).randn(device, [1, 5, 8]);
      let calls = 0;
      const pace = async (): Promise<void> => void calls++;
      const twice = await scope(() => runLayers(x, [layer, layer], { pace }));
      expect(calls).toBe(2);
      const expected = layer.forward(layer.forward(x));
      expect(await twice.read()).toEqual(await expected.read());
    });
  });
});
