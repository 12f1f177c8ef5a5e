import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import {
  type ContextFrames,
  PackedContextEmbedder,
} from '../../../src/models/dit/packed-context.ts';
import { patchify } from '../../../src/ops/patchify.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import type { Triple } from '../../../src/tensor/native-types.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';
import { maxAbsError } from '../../golden/report.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';
import { ditInputs } from './dit-inputs.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));

describe('PackedContextEmbedder', () => {
  it('orders tokens as the context, target last, and pads coarse grids up', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const embedder = PackedContextEmbedder.load(checkpoint.scope(), config);
      const { frames } = ditInputs(device, config, { height: 12, width: 10 });
      const packed = embedder.forward(frames, 'f32');
      // Patch grid 6 x 5: 4x 4 * 2 * 2, 2x 1 * 3 * 3, clean 2 * 30, target 9 * 30 tokens.
      expect(packed.tokens.shape).toEqual([1, 16 + 9 + 60 + 270, config.width]);
      expect(packed.rope.cos.shape).toEqual([355, config.headWidth / 2]);
      expect(packed.numTargetTokens).toBe(270);
      const alone = embedder.forward({ target: frames.target, context: [] }, 'f32');
      expect(await packed.tokens.slice(1, -270).read()).toEqual(await alone.tokens.read());
      const cos = await packed.rope.cos.slice(0, -270, -269).read();
      // The first target token stands at frame 1, row 0, column 0.
      expect(cos[0]).toBeCloseTo(Math.cos(1), 6);
      expect(cos[config.ropeAxisWidths[0] / 2]).toBe(1);
    });
  });
});

/** The weight of a patch, each element repeated over the cells of a larger kernel and divided by their number. */
async function stretched(weight: Tensor, [frames, rows, columns]: Triple): Promise<Tensor> {
  const [width, channels, , height, breadth] = weight.shape as [number, number, 1, number, number];
  const shape = [width, channels, frames, rows * height, columns * breadth];
  const values = await weight.readFloat32();
  const result = new Float32Array(shape.reduce((size, extent) => size * extent, 1));
  let index = 0;
  for (let lead = 0; lead < width * channels; lead++)
    for (let t = 0; t < frames; t++)
      for (let y = 0; y < rows * height; y++)
        for (let x = 0; x < columns * breadth; x++) {
          const source = (lead * height + Math.floor(y / rows)) * breadth + Math.floor(x / columns);
          result[index++] = values[source]! / (frames * rows * columns);
        }
  return fromArray(device, result, shape, 'f32');
}

describe('a kernel without a projection of its own', () => {
  /** Latents that no kernel here divides. */
  const latents = (numFrames: number): Tensor<'f32'> =>
    new Generator(5).randn(device, [1, config.inChannels, numFrames, 12, 18]);
  const numbered = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it.each<[string, number, Triple, Triple]>([
    ['k8', 8, [8, 16, 16], [8, 8, 8]],
    ['k16', 16, [16, 32, 32], [16, 16, 16]],
    ['k1h2w4', 1, [1, 2, 4], [1, 1, 2]],
    ['k1h16w16', 3, [1, 16, 16], [1, 8, 8]],
    ['k3h4w2', 4, [3, 4, 2], [3, 2, 1]],
  ])('%s is the stretched weight of the patch', async (_, numFrames, kernel, cells) => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const weights = checkpoint.scope();
      const patch = weights.at('clean_x_embedder.proj');
      const shape = [config.width, config.inChannels, 1, 2, 2];
      const weight = await stretched(patch.take('weight', shape), cells);
      const bias = patch.take('bias', [config.width]);
      const embedder = PackedContextEmbedder.load(checkpoint.scope(), config);
      const group = { kernel, latents: latents(numFrames), frameIndices: numbered(numFrames) };
      const { tokens, numTargetTokens } = embedder.forward(packed(group), 'f32');
      const expected = patchify(group.latents, weight, { bias, outDtype: 'f32' });
      const own = tokens.slice(1, 0, tokens.shape[1]! - numTargetTokens);
      expect(own.shape).toEqual(expected.shape);
      expect(maxAbsError(await own.read(), await expected.read())).toBeLessThan(2e-5);
    });
  });

  it('averages the phases of the frames and places that it covers', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const embedder = PackedContextEmbedder.load(checkpoint.scope(), config);
      const frames = latents(2);
      const coarse = { kernel: [2, 2, 2] as const, latents: frames, frameIndices: [3, 9] };
      const { rope } = embedder.forward(packed(coarse), 'f32');
      const cos = await rope.cos.slice(0, 0, 1).read();
      expect(cos[0]).toBeCloseTo((Math.cos(3) + Math.cos(9)) / 2, 6);
    });
  });

  it('has to hold whole patches', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    scope(() => {
      const embedder = PackedContextEmbedder.load(checkpoint.scope(), config);
      const group = { kernel: [1, 3, 2] as const, latents: latents(1), frameIndices: [0] };
      expect(() => embedder.forward(packed(group), 'f32')).toThrow(
        expect.objectContaining({
          code: 'ERR_UNSUPPORTED',
          message: expect.stringContaining('by 2, got 1x3x2'),
        }),
      );
    });
  });

  const packed = (group: ContextFrames) => ({
    context: [group],
    target: { latents: latents(1), frameIndices: [20] },
  });
});
