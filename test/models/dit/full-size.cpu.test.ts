import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { tinyConfig } from '../tiny-framepack.ts';
import { ditInputs } from './dit-inputs.ts';
import { ditTensors } from './dit-tensors.ts';

/** The released 13B network; see the model card of FramePackI2V_HY. */
const FULL_SIZE = parseDitConfig({
  ...tinyConfig('transformer'),
  num_attention_heads: 24,
  attention_head_dim: 128,
  num_layers: 20,
  num_single_layers: 40,
  num_refiner_layers: 2,
  text_embed_dim: 4096,
  pooled_projection_dim: 768,
  image_proj_dim: 1152,
  rope_axes_dim: [16, 56, 56],
});

describe('the 13B network on the meta device', () => {
  it('has the published tensors and parameters, and its shapes fit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-meta-'));
    await using device = Device.open('meta');
    try {
      // A sparse file: the header is real, the 25.7 GB behind it are a hole.
      const path = join(folder, 'model.safetensors');
      const { header, numParameters } = ditTensors(FULL_SIZE);
      writeFileSync(path, header);
      const { truncate } = await import('node:fs/promises');
      await truncate(path, header.length + 2 * numParameters);
      expect(numParameters).toBe(12_874_314_816);
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
