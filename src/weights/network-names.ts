/**
 * How files name the tensors of each network. The names that the loaders ask for are those of diffusers and
 * transformers; everything that other exporters do differently is a row of this file.
 */

/** The names of one network. */
export interface NetworkNames {
  /** What errors call the network. */
  readonly network: string;
  /** A tensor that every file of the network has: what stands in front of it is the prefix of all. */
  readonly anchor: string;
  /** What exporters put in front of every name; the longest that fits is taken. */
  readonly prefixes: readonly string[];
  /** Names of other exporters, without their prefix, and what they are called here. */
  readonly renames?: readonly (readonly [pattern: RegExp, name: string])[];
  /** Tensors that files are known to hold and nobody needs. */
  readonly unneeded?: readonly RegExp[];
}

/**
 * Markers that say that a file holds fp8: `scaled_fp8` of ComfyUI beside the network, `comfy_quant` of its newer files
 * beside each weight.
 */
export const FP8_MARKERS: RegExp = /(^|\.)(scaled_fp8|comfy_quant)$/;

/** The transformer: diffusers names in every public file; ComfyUI's savers wrap them. */
export const DIT_NAMES: NetworkNames = {
  network: 'transformer',
  anchor: 'x_embedder.proj.weight',
  prefixes: ['', 'model.', 'diffusion_model.', 'model.diffusion_model.', 'transformer.'],
};

/** The Llama text encoder: bare, as a causal language model, or inside LLaVA. */
export const LLAMA_NAMES: NetworkNames = {
  network: 'text encoder',
  anchor: 'embed_tokens.weight',
  prefixes: ['', 'model.', 'language_model.model.', 'model.language_model.'],
  unneeded: [/^lm_head\./, /\.rotary_emb\.inv_freq$/],
};

/** The text tower of CLIP, alone or inside the whole model or a pipeline. */
export const CLIP_NAMES: NetworkNames = {
  network: 'second text encoder',
  anchor: 'embeddings.token_embedding.weight',
  prefixes: [
    '',
    'text_model.',
    'clip_l.transformer.text_model.',
    'text_encoders.clip_l.transformer.text_model.',
    'cond_stage_model.transformer.text_model.',
    'text_encoders.clip_l.transformer.',
  ],
  unneeded: [/^embeddings\.position_ids$/, /^text_projection\./, /^logit_scale$/],
};

/** The vision tower of SigLIP; its pooling head is not needed. */
export const SIGLIP_NAMES: NetworkNames = {
  network: 'image encoder',
  anchor: 'embeddings.patch_embedding.weight',
  prefixes: ['', 'vision_model.', 'model.vision_model.', 'vision_model.vision_model.'],
  unneeded: [/^embeddings\.position_ids$/, /^head\./, /^logit_(scale|bias)$/],
};

const LDM_ATTENTION = { norm: 'group_norm', q: 'to_q', k: 'to_k', v: 'to_v', proj_out: 'to_out.0' };
const LEVELS = [0, 1, 2, 3] as const;

/**
 * The VAE's names in the latent-diffusion code, which ComfyUI keeps. Its decoder counts resolutions from the finest,
 * diffusers from the coarsest.
 *
 * @see diffusers `convert_ldm_vae_checkpoint`, ComfyUI `diffusers_convert.py` `vae_conversion_map`.
 */
const LDM_RENAMES: readonly (readonly [RegExp, string])[] = [
  ...LEVELS.flatMap((level) => [
    [
      new RegExp(`^encoder\\.down\\.${level}\\.block\\.`),
      `encoder.down_blocks.${level}.resnets.`,
    ] as const,
    [
      new RegExp(`^encoder\\.down\\.${level}\\.downsample\\.`),
      `encoder.down_blocks.${level}.downsamplers.0.`,
    ] as const,
    [
      new RegExp(`^decoder\\.up\\.${level}\\.block\\.`),
      `decoder.up_blocks.${3 - level}.resnets.`,
    ] as const,
    [
      new RegExp(`^decoder\\.up\\.${level}\\.upsample\\.`),
      `decoder.up_blocks.${3 - level}.upsamplers.0.`,
    ] as const,
  ]),
  [/^(encoder|decoder)\.mid\.block_1\./, '$1.mid_block.resnets.0.'],
  [/^(encoder|decoder)\.mid\.block_2\./, '$1.mid_block.resnets.1.'],
  ...Object.entries(LDM_ATTENTION).map(
    ([from, to]) =>
      [
        new RegExp(`^(encoder|decoder)\\.mid\\.attn_1\\.${from}\\.`),
        `$1.mid_block.attentions.0.${to}.`,
      ] as const,
  ),
  [/^(encoder|decoder)\.norm_out\./, '$1.conv_norm_out.'],
  [/\.nin_shortcut\./, '.conv_shortcut.'],
];

/** The encoder of the VAE; its file holds the decoder too. */
export const VAE_ENCODER_NAMES: NetworkNames = {
  network: 'VAE',
  anchor: 'encoder.conv_in.conv.weight',
  prefixes: ['', 'vae.', 'first_stage_model.'],
  renames: LDM_RENAMES,
  unneeded: [/^decoder\./, /^post_quant_conv\./],
};

/** The decoder of the VAE; its file holds the encoder too. */
export const VAE_DECODER_NAMES: NetworkNames = {
  ...VAE_ENCODER_NAMES,
  anchor: 'decoder.conv_in.conv.weight',
  unneeded: [/^encoder\./, /^quant_conv\./],
};
