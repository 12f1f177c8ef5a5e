import { parseVaeConfig, SPATIAL_COMPRESSION } from '../../src/models/vae/config.ts';
import { VaeImageEncoder, VaeVideoDecoder } from '../../src/models/vae/vae.ts';
import { scope } from '../../src/tensor/scope.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import { randomTensor } from '../harness/random-tensor.ts';
import { TINY_MODEL } from './generate.ts';
import { type BenchContext, isWanted, measure } from './subject.ts';

/** Suite `vae`: a picture to latents, and the latents of a section to frames. */
export async function runVae(context: BenchContext): Promise<void> {
  const { device, options } = context;
  const model = await ModelFolder.open(options.checkpoint ?? TINY_MODEL);
  const config = parseVaeConfig(model.readConfig('vae'));
  const { height, width } = model.info.buckets[0]!;
  const frames = model.info.latentWindowSize;
  const place = `${model.info.name} ${width}x${height}`;
  for (const dtype of ['bf16', 'f32'] as const) {
    const encode = { suite: 'vae', name: `encode picture ${place}`, dtype };
    const decode = { suite: 'vae', name: `decode ${frames} latents ${place}`, dtype };
    if (!isWanted(context, encode) && !isWanted(context, decode)) continue;
    await scope(async () => {
      const checkpoint = await Checkpoint.open(device, model.path('vae'));
      const pixels = randomTensor(device, [1, config.channels, 1, height, width], 'f32');
      const [rows, columns] = [height / SPATIAL_COMPRESSION, width / SPATIAL_COMPRESSION];
      const latents = randomTensor(
        device,
        [1, config.latentChannels, frames, rows, columns],
        'f32',
      );
      const encoder = VaeImageEncoder.load(checkpoint.scope(), config, dtype);
      const decoder = VaeVideoDecoder.load(checkpoint.scope(), config, { dtype });
      if (isWanted(context, encode)) {
        await measure(context, { ...encode, run: () => encoder.encodeMode(pixels) });
      }
      if (isWanted(context, decode)) {
        await measure(context, { ...decode, run: () => decoder.decode(latents) });
      }
    });
  }
}
