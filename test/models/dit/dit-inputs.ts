import type { DitConfig } from '../../../src/models/dit/config.ts';
import type { DitInputs } from '../../../src/models/dit/dit.ts';
import type { FrameGroup } from '../../../src/models/dit/packed-context.ts';
import type { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { empty, type Tensor } from '../../../src/tensor/tensor.ts';

/** Random inputs of a small section in the inverted layout; undefined contents on `meta`. */
export function ditInputs(
  device: Device,
  config: DitConfig,
  size: { height: number; width: number } = { height: 12, width: 16 },
): DitInputs {
  const generator = new Generator(3);
  const random = (shape: readonly number[]): Tensor<'f32'> =>
    device.kind === 'meta' ? empty(device, shape, 'f32') : generator.randn(device, shape);
  const group = (start: number, numFrames: number): FrameGroup => ({
    latents: random([1, config.inChannels, numFrames, size.height, size.width]),
    frameIndices: Array.from({ length: numFrames }, (_, index) => start + index),
  });
  return {
    frames: {
      target: group(1, 9),
      context: [
        { kernel: [4, 8, 8], ...group(13, 16) },
        { kernel: [2, 4, 4], ...group(11, 2) },
        { kernel: [1, 2, 2], ...group(9, 2) },
      ],
    },
    timestep: 731,
    guidance: 10_000,
    text: random([1, 16, config.textWidth]),
    pooled: random([1, config.pooledWidth]),
    image: random([1, 16, config.imageWidth]),
  };
}
