/**
 * One section of a video by hand: texts and picture are encoded, the transformer makes latents of noise, and the
 * autoencoder makes frames of them. From a checkout:
 *
 *     npx tsx examples/section.ts models/tiny-framepack assets/picture-1.png
 */
import sharp from 'sharp';
import {
  findSchedule,
  flowShiftMu,
  History,
  type ImageConditions,
  planSections,
  sampleSection,
  sigmaSchedule,
  type TextConditions,
} from '../src/entry/framepack.ts';
import {
  ClipText,
  ClipTokenizer,
  Dit,
  encodePrompt,
  Llama,
  LlamaTokenizer,
  ModelFolder,
  parseClipTextConfig,
  parseDitConfig,
  parseLlamaConfig,
  parseSiglipVisionConfig,
  parseVaeConfig,
  SiglipVision,
  VaeImageEncoder,
  VaeVideoDecoder,
} from '../src/entry/models.ts';
import { concat, Device, fromRgb, Generator, scope, toRgb } from '../src/entry/tensor.ts';

const [model = 'models/tiny-framepack', file = 'assets/picture-1.png'] = process.argv.slice(2);
const folder = await ModelFolder.open(model);
const { fps, latentWindowSize, prompt: layout, buckets, defaults } = folder.info;
const { height, width } = buckets[0]!;
const schedule = findSchedule('f1');
const dtype = 'f32';

await using device = Device.open('cpu');

/** `[1, n, C]` Llama states of the prompt's own tokens and the `[1, C]` vector of CLIP. */
async function encodeText(prompt: string): Promise<TextConditions> {
  return scope(async () => {
    const { ids, cropStart } = encodePrompt(
      await LlamaTokenizer.load(folder.path('tokenizer')),
      prompt,
      layout,
    );
    const weights = (await folder.openWeights(device, 'text_encoder')).scope();
    const config = parseLlamaConfig(folder.readConfig('text_encoder'));
    const llama = Llama.load(weights, config, { hiddenLayer: layout.hiddenLayer, dtype });
    const states = await llama.forward(ids);
    const tokenizer = await ClipTokenizer.load(folder.path('tokenizer_2'));
    const clipWeights = (await folder.openWeights(device, 'text_encoder_2')).scope();
    const clipConfig = parseClipTextConfig(folder.readConfig('text_encoder_2'));
    const clip = ClipText.load(clipWeights, clipConfig, dtype);
    const { pooled } = await clip.forward(tokenizer.encode(prompt, layout.clipMaxLength));
    return { text: concat([states.slice(1, cropStart)], 1), pooled };
  });
}

/** Bytes of the picture in another size, `[height, width, 3]`. */
function picture(width: number, height: number): Promise<Buffer> {
  return sharp(file).removeAlpha().resize(width, height, { fit: 'fill' }).raw().toBuffer();
}

async function encodeImage(): Promise<ImageConditions> {
  return scope(async () => {
    const config = parseSiglipVisionConfig(folder.readConfig('image_encoder'));
    const weights = (await folder.openWeights(device, 'image_encoder')).scope();
    const siglip = SiglipVision.load(weights, config, dtype);
    const { imageSize } = config;
    const square = fromRgb(device, await picture(imageSize, imageSize), [imageSize, imageSize]);
    const pixels = fromRgb(device, await picture(width, height), [height, width]);
    const vaeWeights = (await folder.openWeights(device, 'vae')).scope();
    const vaeConfig = parseVaeConfig(folder.readConfig('vae'));
    const encoder = VaeImageEncoder.load(vaeWeights, vaeConfig, dtype);
    return {
      image: await siglip.forward(square.squeeze(2)),
      startLatent: await encoder.encodeMode(pixels),
    };
  });
}

await scope(async () => {
  const text = [await encodeText('A yellow ring grows and shrinks over a snowy field.')];
  const image = await encodeImage();
  const [plan] = planSections({ schedule, seconds: 1.2, fps });
  using history = new History({ start: image.startLatent, plan: plan! });
  const [, channels, , rows, columns] = image.startLatent.shape as number[];
  const noise = new Generator(1).randn(device, [1, channels!, latentWindowSize, rows!, columns!]);

  const weights = (await folder.openWeights(device, 'transformer')).scope();
  const dit = Dit.load(weights, parseDitConfig(folder.readConfig('transformer')), dtype);
  const sigmas = sigmaSchedule(4, flowShiftMu(latentWindowSize, rows!, columns!));
  const { cfg, guidance, guidanceRescale } = defaults;
  const settings = { sigmas, cfg, guidance, guidanceRescale, stepCache: null };
  const inputs = { plan: plan!, history, text, image, noise, settings };
  const latents = await sampleSection(dit, inputs, {
    dtype,
    onStep: ({ stepIndex, sigma }) => console.log(`step ${stepIndex + 1} at ${sigma.toFixed(2)}`),
  });
  console.log(`latents [${latents.shape.join(', ')}]`);

  history.add(latents, plan!);
  const vaeWeights = (await folder.openWeights(device, 'vae')).scope();
  const vaeConfig = parseVaeConfig(folder.readConfig('vae'));
  const decoder = VaeVideoDecoder.load(vaeWeights, vaeConfig, { dtype });
  const clip = await decoder.decode(history.newest(plan!.decode.numLatents));
  const frames = toRgb(clip.squeeze(0));
  console.log(`frames [${frames.shape.join(', ')}]`);
  const first = (await frames.read()).subarray(0, height * width * 3);
  const data = await picture(width, height);
  const error = first.reduce((sum, value, i) => sum + Math.abs(value - data[i]!), 0) / first.length;
  console.log(`mean difference of the first frame and the picture ${error.toFixed(1)} of 255`);
});
console.log(`${device.memory().liveTensors} tensors left`);
