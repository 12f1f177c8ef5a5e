import { z } from 'zod';
import { count, extent, rotaryBase } from '../../weights/config-fields.ts';

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

const axisWidth = extent.multipleOf(2);

const schema = z
  .object({
    in_channels: extent.default(16),
    out_channels: extent.nullish(),
    num_attention_heads: count,
    attention_head_dim: extent,
    num_layers: count,
    num_single_layers: count,
    num_refiner_layers: count,
    mlp_ratio: z.number().positive().max(100).default(4),
    patch_size: extent.max(64).default(2),
    patch_size_t: z.literal(1).default(1),
    qk_norm: z.literal('rms_norm').default('rms_norm'),
    guidance_embeds: z.boolean().default(true),
    text_embed_dim: extent,
    pooled_projection_dim: extent,
    rope_theta: rotaryBase.default(256),
    rope_axes_dim: z.tuple([axisWidth, axisWidth, axisWidth]),
    has_image_proj: z.literal(true),
    image_proj_dim: extent,
    has_clean_x_embedder: z.literal(true),
    image_condition_type: z.null().optional(),
  })
  .refine(
    (raw) =>
      raw.rope_axes_dim[0] + raw.rope_axes_dim[1] + raw.rope_axes_dim[2] === raw.attention_head_dim,
    { path: ['rope_axes_dim'], message: 'expected a sum of attention_head_dim' },
  )
  .refine((raw) => (raw.out_channels ?? raw.in_channels) === raw.in_channels, {
    path: ['out_channels'],
    message: 'expected in_channels: the velocity has the shape of the latents',
  })
  .refine(
    (raw) => Number.isInteger(raw.num_attention_heads * raw.attention_head_dim * raw.mlp_ratio),
    {
      path: ['mlp_ratio'],
      message: 'expected a whole number of hidden features',
    },
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
