import { FramePackError } from '../../errors.ts';
import { ClipText } from '../../models/clip/clip-text.ts';
import { type ClipTextConfig, parseClipTextConfig } from '../../models/clip/config.ts';
import { type DitConfig, parseDitConfig } from '../../models/dit/config.ts';
import { Dit } from '../../models/dit/dit.ts';
import { type LlamaConfig, parseLlamaConfig } from '../../models/llama/config.ts';
import { Llama } from '../../models/llama/llama.ts';
import { parseSiglipVisionConfig, type SiglipVisionConfig } from '../../models/siglip/config.ts';
import { SiglipVision } from '../../models/siglip/siglip-vision.ts';
import { parseVaeConfig, SPATIAL_COMPRESSION, type VaeConfig } from '../../models/vae/config.ts';
import { VaeImageEncoder, VaeVideoDecoder } from '../../models/vae/vae.ts';
import { Device } from '../../tensor/device.ts';
import { scope } from '../../tensor/scope.ts';
import { ClipTokenizer } from '../../tokenizers/clip-tokenizer.ts';
import { encodePrompt } from '../../tokenizers/encode-prompt.ts';
import { LlamaTokenizer } from '../../tokenizers/llama-tokenizer.ts';
import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';
import type { ModelFolder, ModelPart } from '../../weights/model-folder.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { networkConfig, type Tokenizers } from '../run-context.ts';

/** Tensors of a part that no network knows. */
export interface LeftOver {
  readonly part: ModelPart;
  /** Names in the file. */
  readonly tensors: readonly string[];
}

/** What a model that can be run is made of. */
export interface CheckedModel {
  readonly configs: NetworkConfigs;
  readonly tokenizers: Tokenizers;
  /** Parts with something left over only. */
  readonly leftOver: readonly LeftOver[];
}

/** The configuration of every network. */
export interface NetworkConfigs {
  readonly transformer: DitConfig;
  readonly llama: LlamaConfig;
  readonly clip: ClipTextConfig;
  readonly siglip: SiglipVisionConfig;
  readonly vae: VaeConfig;
}

/**
 * Opens and builds every part of a model on the `meta` device, and checks that they fit each other and their
 * description. Reads headers, configurations and tokenizers, no weights: milliseconds at any size.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the part, file or field that is missing, damaged or does not
 *   fit; `ERR_UNSUPPORTED` for a tensor type that nothing reads.
 */
export async function checkModel(folder: ModelFolder): Promise<CheckedModel> {
  const configs: NetworkConfigs = {
    transformer: networkConfig({ folder }, 'transformer', parseDitConfig),
    llama: networkConfig({ folder }, 'text_encoder', parseLlamaConfig),
    clip: networkConfig({ folder }, 'text_encoder_2', parseClipTextConfig),
    siglip: networkConfig({ folder }, 'image_encoder', parseSiglipVisionConfig),
    vae: networkConfig({ folder }, 'vae', parseVaeConfig),
  };
  checkFit(folder.info, configs);
  const leftOver = await buildNetworks(folder, configs);
  const tokenizers = {
    llama: await LlamaTokenizer.load(folder.path('tokenizer')),
    clip: await ClipTokenizer.load(folder.path('tokenizer_2')),
  };
  checkTokenizers(tokenizers, folder.info, configs);
  return { configs, tokenizers, leftOver };
}

type Build = (weights: WeightScope) => { readonly leftOver: readonly string[] };

async function buildNetworks(folder: ModelFolder, configs: NetworkConfigs): Promise<LeftOver[]> {
  await using device = Device.open('meta');
  const dtype = 'f32';
  const { hiddenLayer } = folder.info.prompt;
  const builds: readonly [ModelPart, ...Build[]][] = [
    ['transformer', (weights) => Dit.load(weights, configs.transformer, dtype)],
    [
      'vae',
      (weights) => VaeImageEncoder.load(weights, configs.vae, dtype),
      (weights) => VaeVideoDecoder.load(weights, configs.vae, { dtype }),
    ],
    ['text_encoder', (weights) => Llama.load(weights, configs.llama, { hiddenLayer, dtype })],
    ['text_encoder_2', (weights) => ClipText.load(weights, configs.clip, dtype)],
    ['image_encoder', (weights) => SiglipVision.load(weights, configs.siglip, dtype)],
  ];
  const found: LeftOver[] = [];
  for (const [part, ...networks] of builds) {
    const checkpoint = await folder.openWeights(device, part);
    const names = networks.flatMap((build) =>
      located(folder, part, () => scope(() => build(checkpoint.scope()).leftOver)),
    );
    const tensors = [...new Set(names)];
    if (tensors.length > 0) found.push({ part, tensors });
  }
  return found;
}

/** Says of a network that does not fit where it lies, and when its configuration was assumed. */
function located<T>(folder: ModelFolder, part: ModelPart, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof FramePackError)) throw error;
    const { code, message, details } = error;
    const path = folder.path(part);
    const isAssumed = folder.configFile(part) === null;
    const assumed = isAssumed
      ? ", without a config.json, so that the released model's was taken"
      : '';
    throw new FramePackError(
      code,
      `${message} (in ${path}${assumed})`,
      { ...details, path },
      error,
    );
  }
}

/** A field, whether it is right, what was expected of it, and what it is. */
type Rule = readonly [field: string, holds: boolean, expected: string, found: unknown];

function checkFit(info: CheckpointInfo, configs: NetworkConfigs): void {
  const { transformer, llama, clip, siglip, vae } = configs;
  const { prompt, buckets, preview } = info;
  const edge = SPATIAL_COMPRESSION * transformer.patchSize;
  const equal = (field: string, found: number, [name, value]: readonly [string, number]): Rule => [
    `transformer/config.json: ${field}`,
    found === value,
    `${name}, ${value}`,
    found,
  ];
  refuseBroken([
    equal('in_channels', transformer.inChannels, ["the VAE's latent_channels", vae.latentChannels]),
    equal('text_embed_dim', transformer.textWidth, [
      "the text encoder's hidden_size",
      llama.hiddenSize,
    ]),
    equal('pooled_projection_dim', transformer.pooledWidth, [
      "the second text encoder's hidden_size",
      clip.hiddenSize,
    ]),
    equal('image_proj_dim', transformer.imageWidth, [
      "the image encoder's hidden_size",
      siglip.hiddenSize,
    ]),
    [
      'framepack.json: prompt.hidden_layer',
      -prompt.hiddenLayer <= llama.numLayers,
      `-${llama.numLayers} to -1, a state behind a layer of the text encoder`,
      prompt.hiddenLayer,
    ],
    [
      'framepack.json: prompt.clip_max_length',
      prompt.clipMaxLength <= clip.maxPositions,
      `at most the second text encoder's max_position_embeddings, ${clip.maxPositions}`,
      prompt.clipMaxLength,
    ],
    [
      'framepack.json: preview.matrix',
      preview.weights.length === vae.latentChannels,
      `a row for each of the ${vae.latentChannels} latent channels`,
      preview.weights.length,
    ],
    ...buckets.map(
      ({ height, width }, index): Rule => [
        `framepack.json: buckets.${index}`,
        height % edge === 0 && width % edge === 0,
        `multiples of ${edge}, a patch of the transformer`,
        `[${height}, ${width}]`,
      ],
    ),
  ]);
}

function checkTokenizers(
  { llama, clip }: Tokenizers,
  info: CheckpointInfo,
  configs: NetworkConfigs,
): void {
  const { cropStart } = encodePrompt(llama, '', info.prompt);
  const numTokens = cropStart + info.prompt.maxLength;
  const { maxPositions } = configs.llama;
  refuseBroken([
    [
      'tokenizer: ids',
      llama.numTokens <= configs.llama.vocabularySize,
      `at most the text encoder's vocab_size, ${configs.llama.vocabularySize}`,
      llama.numTokens,
    ],
    [
      'tokenizer_2: ids',
      clip.numTokens === configs.clip.vocabularySize,
      `the second text encoder's vocab_size, ${configs.clip.vocabularySize}`,
      clip.numTokens,
    ],
    [
      'framepack.json: prompt.max_length',
      maxPositions === null || numTokens <= maxPositions,
      `at most ${maxPositions} tokens with those of the template, the text encoder's max_position_embeddings`,
      numTokens,
    ],
  ]);
}

function refuseBroken(rules: readonly Rule[]): void {
  for (const [field, holds, expected, found] of rules) {
    if (holds) continue;
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${field}: expected ${expected}, got ${String(found)}`,
      { field: field.replace(/^[^:]*: /, '') },
    );
  }
}
