import { join } from 'node:path';
import { expect, test } from 'vitest';
import { randomTensor } from '../../../bench/harness/random-tensor.ts';
import { SpillFolder } from '../../../bench/rivals/spill.ts';
import { type StoredType, writeRandomCheckpoint } from '../../../bench/suites/random-checkpoint.ts';
import { Mlp } from '../../../src/nn/mlp.ts';
import { LayerNorm } from '../../../src/nn/norm.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import type { WeightScope } from '../../../src/weights/weight-scope.ts';

const WIDTH = 192;

function load(weights: WeightScope): { norm: LayerNorm; mlp: Mlp } {
  const names = ['up', 'down'] as const;
  const widths = { inFeatures: WIDTH, hiddenFeatures: 4 * WIDTH, outFeatures: WIDTH };
  return {
    norm: LayerNorm.load(weights.at('norm'), WIDTH, 1e-6),
    mlp: Mlp.load(weights.at('mlp'), { names, ...widths, activation: 'silu' }),
  };
}

test.each<StoredType>(['f32', 'bf16', 'f8e4m3'])(
  'a random %s checkpoint holds exactly what the network takes, and keeps its scale',
  async (storedType) => {
    using folder = new SpillFolder();
    const path = join(folder.path, 'random.safetensors');
    await writeRandomCheckpoint(path, storedType, load);
    await using device = Device.open('cpu', { threads: 1 });
    await scope(async () => {
      const checkpoint = await Checkpoint.open(device, path);
      const { norm, mlp } = load(checkpoint.scope());
      checkpoint.assertUsed();
      expect(checkpoint.entries().some(({ dtype }) => dtype === storedType)).toBe(true);
      const x = randomTensor(device, [1, 8, WIDTH], 'f32');
      const out = await mlp.forward(norm.forward(x)).readFloat32();
      const rms = Math.sqrt(out.reduce((sum, value) => sum + value * value, 0) / out.length);
      expect(rms).toBeGreaterThan(0.1);
      expect(rms).toBeLessThan(10);
    });
  },
);
