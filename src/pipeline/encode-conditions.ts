import type { RgbImage } from '../media/decode-image.ts';
import { BICUBIC, resample } from '../media/resample.ts';
import { ClipText } from '../models/clip/clip-text.ts';
import { parseClipTextConfig } from '../models/clip/config.ts';
import { parseLlamaConfig } from '../models/llama/config.ts';
import { Llama } from '../models/llama/llama.ts';
import { parseSiglipVisionConfig } from '../models/siglip/config.ts';
import { SiglipVision } from '../models/siglip/siglip-vision.ts';
import { parseVaeConfig } from '../models/vae/config.ts';
import type { VaeTiling } from '../models/vae/tiling.ts';
import { VaeImageEncoder } from '../models/vae/vae.ts';
import { concat } from '../ops/copy.ts';
import { fromRgb } from '../ops/pixels.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { encodePrompt } from '../tokenizers/encode-prompt.ts';
import { assertFinite, type ValueOrigin } from './checks/finite.ts';
import { warnOfCut } from './checks/warnings.ts';
import { networkConfig, networkWeights, ownDType, type RunContext } from './run-context.ts';

/** What the DiT knows of one prompt. */
export interface TextConditions {
  /** `[1, n, C]` Llama states of the prompt's own tokens. */
  readonly text: Tensor;
  /** `[1, C]` pooled CLIP vector. */
  readonly pooled: Tensor;
}

/** What the DiT knows of the picture. */
export interface ImageConditions {
  /** `[1, S, C]` SigLIP states. */
  readonly image: Tensor;
  /** `[1, C, 1, H, W]` f32, scaled. */
  readonly startLatent: Tensor<'f32'>;
}

/** Encodes the prompts in order; each text encoder is loaded once and freed before the next. */
export async function encodeText(
  context: RunContext,
  prompts: readonly string[],
): Promise<TextConditions[]> {
  const states = await encodeLlama(context, prompts);
  const pooled = await encodeClip(context, prompts);
  return prompts.map((_, index) => ({ text: states[index]!, pooled: pooled[index]! }));
}

async function encodeLlama(context: RunContext, prompts: readonly string[]): Promise<Tensor[]> {
  const { info, pace, observer, reporter, tokenizers, placements } = context;
  const encoded = prompts.map((prompt) => encodePrompt(tokenizers.llama, prompt, info.prompt));
  encoded.forEach(({ numCut }, index) => {
    if (numCut > 0)
      warnOfCut(reporter, index, { encoder: 'Llama', numTokens: info.prompt.maxLength });
  });
  observer?.ids('text.llama_ids', encoded[0]!.ids);
  return scope(async () => {
    const config = networkConfig(context, 'text_encoder', parseLlamaConfig);
    const checkpoint = await networkWeights(context, 'text_encoder');
    const dtype = ownDType(context, checkpoint);
    const numResident = placements.textEncoder === 'streams' ? 0 : undefined;
    const options = { hiddenLayer: info.prompt.hiddenLayer, dtype, numResident };
    const llama = Llama.load(checkpoint.scope(), config, options);
    reporter.stage('encode-text');
    const results: Tensor[] = [];
    for (const { ids, cropStart } of encoded) {
      results.push(
        await scope(async () => {
          const states = await llama.forward(ids, { pace });
          return concat([states.slice(1, cropStart)], 1);
        }),
      );
    }
    for (const states of results) await assertFinite(states, origin(context, 'text_encoder'));
    observer?.tensor('text.llama', results[0]!);
    return results;
  });
}

async function encodeClip(context: RunContext, prompts: readonly string[]): Promise<Tensor[]> {
  const { info, pace, observer, reporter } = context;
  const tokenizer = context.tokenizers.clip;
  const { clipMaxLength: numTokens } = info.prompt;
  prompts.forEach((prompt, index) => {
    if (!tokenizer.fits(prompt, numTokens))
      warnOfCut(reporter, index, { encoder: 'CLIP', numTokens });
  });
  const ids = prompts.map((prompt) => tokenizer.encode(prompt, numTokens));
  observer?.ids('text.clip_ids', ids[0]!);
  return scope(async () => {
    const config = networkConfig(context, 'text_encoder_2', parseClipTextConfig);
    const checkpoint = await networkWeights(context, 'text_encoder_2');
    const clip = ClipText.load(checkpoint.scope(), config, ownDType(context, checkpoint));
    reporter.stage('encode-text');
    const results: Tensor[] = [];
    for (const prompt of ids) results.push((await clip.forward(prompt, pace)).pooled);
    for (const pooled of results) await assertFinite(pooled, origin(context, 'text_encoder_2'));
    observer?.tensor('text.pooled', results[0]!);
    return results;
  });
}

/** Encodes the bucket-sized picture with SigLIP and the VAE. */
export async function encodeImage(
  context: RunContext,
  picture: RgbImage,
  tiling: VaeTiling,
): Promise<ImageConditions> {
  const image = await encodeSiglip(context, picture);
  const startLatent = await encodeStartLatent(context, picture, tiling);
  context.observer?.tensor('image.siglip', image);
  context.observer?.tensor('image.start_latent', startLatent);
  return { image, startLatent };
}

async function encodeSiglip(context: RunContext, picture: RgbImage): Promise<Tensor> {
  const { pace, reporter } = context;
  return scope(async () => {
    const config = networkConfig(context, 'image_encoder', parseSiglipVisionConfig);
    const checkpoint = await networkWeights(context, 'image_encoder');
    const siglip = SiglipVision.load(checkpoint.scope(), config, ownDType(context, checkpoint));
    reporter.stage('encode-image');
    const square = resample(picture, config.imageSize, config.imageSize, BICUBIC);
    const states = await siglip.forward(
      fromRgb(context.device, square.data, [square.height, square.width]).squeeze(2),
      pace,
    );
    await assertFinite(states, origin(context, 'image_encoder'));
    return states;
  });
}

async function encodeStartLatent(
  context: RunContext,
  picture: RgbImage,
  tiling: VaeTiling,
): Promise<Tensor<'f32'>> {
  const { pace, reporter } = context;
  return scope(async () => {
    const config = networkConfig(context, 'vae', parseVaeConfig);
    const checkpoint = await networkWeights(context, 'vae');
    const encoder = VaeImageEncoder.load(checkpoint.scope(), config, ownDType(context, checkpoint));
    reporter.stage('encode-image');
    const pixels = fromRgb(context.device, picture.data, [picture.height, picture.width]);
    const latent = await encoder.encodeMode(pixels, { tiling, pace });
    await assertFinite(latent, origin(context, 'vae'));
    return latent;
  });
}

type Encoder = 'text_encoder' | 'text_encoder_2' | 'image_encoder' | 'vae';

function origin({ dtype }: RunContext, network: Encoder): ValueOrigin {
  const isText = network === 'text_encoder' || network === 'text_encoder_2';
  return { stage: isText ? 'encode-text' : 'encode-image', network, dtype };
}
