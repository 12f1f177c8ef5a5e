import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DoubleBlock, SingleBlock } from '../../../src/models/dit/blocks.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { empty } from '../../../src/tensor/tensor.ts';
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

  it('holds no more than seven activations of the stream inside a block', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-meta-'));
    await using device = Device.open('meta');
    try {
      const path = join(folder, 'model.safetensors');
      writeSparse(path, storedAs('BF16', ditShapes({ ...FULL_SIZE, ...ONE_OF_EACH })));
      const checkpoint = await Checkpoint.open(device, path);
      scope(() => {
        const double = DoubleBlock.load(checkpoint.scope('transformer_blocks.0'), FULL_SIZE);
        const single = SingleBlock.load(checkpoint.scope('single_transformer_blocks.0'), FULL_SIZE);
        const { width, headWidth } = FULL_SIZE;
        const stream = (tokens: number) => empty(device, [1, tokens, width], 'bf16');
        const table = () => empty(device, [NUM_IMAGE_TOKENS, headWidth / 2], 'f32');
        const rope = { cos: table(), sin: table() };
        const chunks = Array.from({ length: 6 }, () => empty(device, [1, width], 'bf16'));
        const conditions = { modulation: [chunks, chunks], rope };
        const [image, text] = [stream(NUM_IMAGE_TOKENS), stream(NUM_TEXT_TOKENS)];
        const joined = stream(NUM_IMAGE_TOKENS + NUM_TEXT_TOKENS);
        const activations = (run: () => unknown): number => {
          device.resetPeak();
          const before = device.memory().currentBytes;
          scope(() => void run());
          return (device.memory().peakBytes - before) / (joined.size * 2);
        };
        // Attended, normed and four of the hidden layer.
        expect(activations(() => double.forward({ image, text }, conditions))).toBeLessThan(6.1);
        // Normed, attended, and attended beside four of the hidden layer.
        expect(activations(() => single.forward(joined, conditions))).toBeLessThan(7.1);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

// A window of nine latents at 480p with its packed context, and a long prompt.
const NUM_IMAGE_TOKENS = 17_966;
const NUM_TEXT_TOKENS = 793;
const ONE_OF_EACH = { numDoubleBlocks: 1, numSingleBlocks: 1 };
