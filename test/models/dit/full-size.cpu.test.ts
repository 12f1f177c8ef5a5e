import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { OFFICIAL_CONFIGS } from '../../../src/weights/official/configs.ts';
import { storedAs } from '../../full-size/public-layouts.ts';
import { bytesOfTensor, writeSparse } from '../../full-size/sparse-file.ts';
import { ditInputs } from './dit-inputs.ts';
import { ditShapes } from './dit-tensors.ts';

const FULL_SIZE = parseDitConfig(OFFICIAL_CONFIGS.transformer);

describe('the 13B network on the meta device', () => {
  it('has the published tensors and parameters, and its shapes fit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-meta-'));
    await using device = Device.open('meta');
    try {
      const path = join(folder, 'model.safetensors');
      const tensors = storedAs('BF16', ditShapes(FULL_SIZE));
      writeSparse(path, tensors);
      const bytes = tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
      expect(bytes / 2).toBe(12_874_314_816);
      const checkpoint = await Checkpoint.open(device, path);
      expect(checkpoint.names()).toHaveLength(1274);
      await scope(async () => {
        const dit = Dit.load(checkpoint.scope(), FULL_SIZE, 'bf16');
        checkpoint.assertUsed();
        const weightBytes = device.memory().currentBytes;
        const inputs = ditInputs(device, FULL_SIZE, { height: 60, width: 104 });
        const velocity = await dit.forward(inputs);
        expect(velocity.shape).toEqual([1, 16, 9, 60, 104]);
        // 18,000 tokens of 3072 in bf16 are 110 MB; nothing of size L x L may exist.
        expect(device.memory().peakBytes - weightBytes).toBeLessThan(2.5 * 2 ** 30);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
