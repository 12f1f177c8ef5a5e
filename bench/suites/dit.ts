import { parseDitConfig } from '../../src/models/dit/config.ts';
import { Dit, type DitInputs } from '../../src/models/dit/dit.ts';
import type { FrameGroup, PackedFrames } from '../../src/models/dit/packed-context.ts';
import { SPATIAL_COMPRESSION } from '../../src/models/vae/config.ts';
import type { Device } from '../../src/tensor/device.ts';
import type { FloatDType } from '../../src/tensor/dtype.ts';
import { scope } from '../../src/tensor/scope.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import { withRandomLora } from '../harness/random-lora.ts';
import { randomTensor } from '../harness/random-tensor.ts';
import { blockFlops } from './dit-work.ts';
import { TINY_MODEL } from './generate.ts';
import { type BenchContext, isWanted, measure } from './subject.ts';

const TEXT_TOKENS = 256;
const IMAGE_TOKENS = 729;
const TIMESTEP = 500;
const GUIDANCE = 10_000;

/** Suite `dit`: one forward pass of a whole transformer over a section with full context. */
export async function runDit(context: BenchContext): Promise<void> {
  const { device, options } = context;
  const model = await ModelFolder.open(options.checkpoint ?? TINY_MODEL);
  const config = parseDitConfig(model.readConfig('transformer'));
  const { height, width } = model.info.buckets[0]!;
  const [rows, columns] = [height / SPATIAL_COMPRESSION, width / SPATIAL_COMPRESSION];
  for (const dtype of ['bf16', 'f32'] as const) {
    const facts = { suite: 'dit', name: `dit ${model.info.name} ${width}x${height}`, dtype };
    if (!isWanted(context, facts)) continue;
    await scope(async () => {
      const checkpoint = await Checkpoint.open(device, model.path('transformer'));
      const dit = Dit.load(checkpoint.scope(), config, dtype);
      const changed = await withRandomLora(device, checkpoint, async (edits) =>
        Dit.load(checkpoint.scope().edited(edits), config, dtype),
      );
      const inputs: DitInputs = {
        frames: packedFrames(device, [rows, columns], model.info.latentWindowSize),
        timestep: TIMESTEP,
        guidance: GUIDANCE,
        text: condition(device, [1, TEXT_TOKENS, config.textWidth], dtype),
        pooled: condition(device, [1, config.pooledWidth], dtype),
        image: condition(device, [1, IMAGE_TOKENS, config.imageWidth], dtype),
      };
      const image = await scope(async () => dit.embed(inputs).image.shape[1]!);
      const flops = blockFlops(config, { image, text: TEXT_TOKENS + IMAGE_TOKENS });
      await measure(context, { ...facts, flops, run: () => dit.forward(inputs) });
      const named = { ...facts, name: `${facts.name} with LoRA` };
      await measure(context, { ...named, flops, run: () => changed.forward(inputs) });
    });
  }
}

/** A section with the context that FramePack keeps in steady state: 1 + 1, 2 and 16 latent frames. */
function packedFrames(
  device: Device,
  [rows, columns]: readonly [number, number],
  numFrames: number,
): PackedFrames {
  const group = (first: number, count: number): FrameGroup => ({
    latents: randomTensor(device, [1, 16, count, rows, columns], 'f32', { seed: first + 1 }),
    frameIndices: Array.from({ length: count }, (_, frame) => first + frame),
  });
  return {
    context: [
      { kernel: [4, 8, 8], ...group(1, 16) },
      { kernel: [2, 4, 4], ...group(17, 2) },
      { kernel: [1, 2, 2], ...group(19, 2) },
    ],
    target: group(21, numFrames),
  };
}

function condition(device: Device, shape: readonly number[], dtype: FloatDType) {
  return randomTensor(device, shape, dtype, { deviation: 0.5 });
}
