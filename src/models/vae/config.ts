import { z } from 'zod';

/** The fields of `vae/config.json` that decide the computation. */
export interface VaeConfig {
  readonly channels: number;
  readonly latentChannels: number;
  /** Channels of the four resolutions, finest first. */
  readonly blockChannels: readonly [number, number, number, number];
  readonly layersPerBlock: number;
  readonly normGroups: number;
  /** Latents are multiplied by it after encoding and divided before decoding. */
  readonly scalingFactor: number;
}

/** Pixels a latent covers along each spatial axis. */
export const SPATIAL_COMPRESSION = 8;
/** Frames a latent covers, but the first, which covers one. */
export const TEMPORAL_COMPRESSION = 4;
/** Epsilon of every group norm of the network. */
export const NORM_EPS = 1e-6;

const positive = z.number().int().positive();

const schema = z.object({
  in_channels: positive.default(3),
  out_channels: positive.default(3),
  latent_channels: positive.default(16),
  block_out_channels: z.tuple([positive, positive, positive, positive]),
  layers_per_block: positive,
  norm_num_groups: positive,
  scaling_factor: z.number().positive(),
  act_fn: z.literal('silu').default('silu'),
  spatial_compression_ratio: z.literal(SPATIAL_COMPRESSION).default(SPATIAL_COMPRESSION),
  temporal_compression_ratio: z.literal(TEMPORAL_COMPRESSION).default(TEMPORAL_COMPRESSION),
  mid_block_add_attention: z.literal(true).default(true),
});

/** Reads a diffusers HunyuanVideo VAE config; throws a `ZodError` on a field the network cannot honour. */
export function parseVaeConfig(json: unknown): VaeConfig {
  const raw = schema.parse(json);
  return {
    channels: raw.in_channels,
    latentChannels: raw.latent_channels,
    blockChannels: raw.block_out_channels,
    layersPerBlock: raw.layers_per_block,
    normGroups: raw.norm_num_groups,
    scalingFactor: raw.scaling_factor,
  };
}
