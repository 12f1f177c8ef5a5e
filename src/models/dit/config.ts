import { z } from 'zod';

/** The fields of `transformer/config.json` that decide the computation. */
export interface DitConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly numHeads: number;
  readonly headWidth: number;
  /** Model width D = heads x head width. */
  readonly width: number;
  readonly numDoubleBlocks: number;
  readonly numSingleBlocks: number;
  readonly numRefinerBlocks: number;
  readonly mlpRatio: number;
  /** Spatial patch edge; the temporal one is 1. */
  readonly patchSize: number;
  readonly textWidth: number;
  readonly pooledWidth: number;
  readonly imageWidth: number;
  readonly ropeTheta: number;
  /** Rotary channels of the axes t, y, x; they add up to `headWidth`. */
  readonly ropeAxisWidths: readonly [number, number, number];
  readonly hasGuidance: boolean;
}

const positive = z.number().int().positive();

const schema = z
  .object({
    in_channels: positive.default(16),
    out_channels: positive.nullish(),
    num_attention_heads: positive,
    attention_head_dim: positive,
    num_layers: positive,
    num_single_layers: positive,
    num_refiner_layers: positive,
    mlp_ratio: z.number().positive().default(4),
    patch_size: positive.default(2),
    patch_size_t: z.literal(1).default(1),
    qk_norm: z.literal('rms_norm').default('rms_norm'),
    guidance_embeds: z.boolean().default(true),
    text_embed_dim: positive,
    pooled_projection_dim: positive,
    rope_theta: z.number().positive().default(256),
    rope_axes_dim: z.tuple([positive, positive, positive]),
    has_image_proj: z.literal(true),
    image_proj_dim: positive,
    has_clean_x_embedder: z.literal(true),
    image_condition_type: z.null().optional(),
  })
  .refine(
    (raw) =>
      raw.rope_axes_dim[0] + raw.rope_axes_dim[1] + raw.rope_axes_dim[2] === raw.attention_head_dim,
    'rope_axes_dim must add up to attention_head_dim',
  );

/** Reads a packed HunyuanVideo config; throws a `ZodError` on a field the network cannot honour. */
export function parseDitConfig(json: unknown): DitConfig {
  const raw = schema.parse(json);
  return {
    inChannels: raw.in_channels,
    outChannels: raw.out_channels ?? raw.in_channels,
    numHeads: raw.num_attention_heads,
    headWidth: raw.attention_head_dim,
    width: raw.num_attention_heads * raw.attention_head_dim,
    numDoubleBlocks: raw.num_layers,
    numSingleBlocks: raw.num_single_layers,
    numRefinerBlocks: raw.num_refiner_layers,
    mlpRatio: raw.mlp_ratio,
    patchSize: raw.patch_size,
    textWidth: raw.text_embed_dim,
    pooledWidth: raw.pooled_projection_dim,
    imageWidth: raw.image_proj_dim,
    ropeTheta: raw.rope_theta,
    ropeAxisWidths: raw.rope_axes_dim,
    hasGuidance: raw.guidance_embeds,
  };
}

/** Epsilon of every layer norm and rms norm of the network. */
export const NORM_EPS = 1e-6;
/** Width of the sinusoidal embeddings of timestep and guidance. */
export const SINUSOID_WIDTH = 256;
