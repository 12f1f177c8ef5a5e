/**
 * The pieces of a video, each alone: the section plan, the text encoder, and both directions of the autoencoder.
 * From a checkout:
 *
 *     npx tsx examples/pieces.ts models/tiny-framepack assets/picture-1.png
 */
import sharp from 'sharp';
import { findSchedule, planSections } from '../src/entry/framepack.ts';
import {
  encodePrompt,
  Llama,
  LlamaTokenizer,
  ModelFolder,
  parseLlamaConfig,
  parseVaeConfig,
  VaeImageEncoder,
  VaeVideoDecoder,
} from '../src/entry/models.ts';
import { Checkpoint } from '../src/entry/nn.ts';
import { absMean, contiguous, Device, fromArray, scope } from '../src/entry/tensor.ts';

const [model = 'models/tiny-framepack', image = 'assets/picture-1.png'] = process.argv.slice(2);
const folder = await ModelFolder.open(model);
const { fps, prompt: layout, buckets } = folder.info;
const show = (name: string, shape: readonly number[]): void =>
  console.log(`${name} [${shape.join(', ')}]`);

const sections = planSections({ schedule: findSchedule('i2v'), seconds: 4.8, fps });
const [first] = sections;
const [from, to] = [first!.targetIndices[0], first!.targetIndices.at(-1)];
console.log(`${sections.length} sections, the first for positions ${from} to ${to}`);

await using device = Device.open('cpu');

await scope(async () => {
  const tokenizer = await LlamaTokenizer.load(folder.path('tokenizer'));
  const { ids, cropStart } = encodePrompt(tokenizer, 'A red ball rolls.', layout);
  const weights = await Checkpoint.open(device, folder.path('text_encoder'));
  const config = parseLlamaConfig(folder.readConfig('text_encoder'));
  const options = { hiddenLayer: layout.hiddenLayer, dtype: 'f32' } as const;
  const llama = Llama.load(weights.scope(), config, options);
  show('text', (await llama.forward(ids)).slice(1, cropStart).shape);
});

await scope(async () => {
  const { height, width } = buckets[0]!;
  const rgb = await sharp(image).removeAlpha().resize(width, height).raw().toBuffer();
  const values = Float32Array.from(rgb, (value) => value / 127.5 - 1);
  // [H, W, 3] to [1, 3, 1, H, W]
  const picture = fromArray(device, values, [1, 1, height, width, 3], 'f32');
  const pixels = contiguous(picture.permute([0, 4, 1, 2, 3]));
  const weights = await Checkpoint.open(device, folder.path('vae'));
  const config = parseVaeConfig(folder.readConfig('vae'));
  const latent = await VaeImageEncoder.load(weights.scope(), config, 'f32').encodeMode(pixels);
  show('latent', latent.shape);
  const decoder = VaeVideoDecoder.load(weights.scope(), config, { dtype: 'f32' });
  const decoded = await decoder.decode(latent);
  const [error] = await absMean(decoded, { minus: pixels }).readFloat32();
  console.log(`decoded [${decoded.shape.join(', ')}], mean error ${error!.toFixed(3)}`);
});
console.log(`${device.memory().liveTensors} tensors left`);
