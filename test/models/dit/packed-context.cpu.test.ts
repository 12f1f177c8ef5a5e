import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { PackedContextEmbedder } from '../../../src/models/dit/packed-context.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';
import { ditInputs } from './dit-inputs.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));

describe('PackedContextEmbedder', () => {
  it('orders tokens 4x, 2x, clean, target and pads coarse grids up', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const embedder = PackedContextEmbedder.load(checkpoint.scope(), config);
      const { frames } = ditInputs(device, config, { height: 12, width: 10 });
      const packed = embedder.forward(frames, 'f32');
      // Patch grid 6 x 5: 4x 4 * 2 * 2, 2x 1 * 3 * 3, clean 2 * 30, target 9 * 30 tokens.
      expect(packed.tokens.shape).toEqual([1, 16 + 9 + 60 + 270, config.width]);
      expect(packed.rope.cos.shape).toEqual([355, config.headWidth / 2]);
      expect(packed.numTargetTokens).toBe(270);
      const alone = embedder.forward({ target: frames.target }, 'f32');
      expect(await packed.tokens.slice(1, -270).read()).toEqual(await alone.tokens.read());
      const cos = await packed.rope.cos.slice(0, -270, -269).read();
      // The first target token stands at frame 1, row 0, column 0.
      expect(cos[0]).toBeCloseTo(Math.cos(1), 6);
      expect(cos[config.ropeAxisWidths[0] / 2]).toBe(1);
    });
  });
});
