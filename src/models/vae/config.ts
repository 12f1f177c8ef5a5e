import { z } from 'zod';
import { count, extent } from '../../weights/config-fields.ts';

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

const blocks = (name: string) => z.array(z.literal(name)).length(4).optional();

const schema = z
  .object({
    in_channels: z.literal(3).default(3),
    out_channels: z.literal(3).default(3),
    latent_channels: extent.default(16),
    block_out_channels: z.tuple([extent, extent, extent, extent]),
    layers_per_block: count,
    norm_num_groups: extent,
    scaling_factor: z.number().min(1e-3).max(1e3),
    act_fn: z.literal('silu').default('silu'),
    down_block_types: blocks('HunyuanVideoDownBlock3D'),
    up_block_types: blocks('HunyuanVideoUpBlock3D'),
    spatial_compression_ratio: z.literal(SPATIAL_COMPRESSION).default(SPATIAL_COMPRESSION),
    temporal_compression_ratio: z.literal(TEMPORAL_COMPRESSION).default(TEMPORAL_COMPRESSION),
    mid_block_add_attention: z.literal(true).default(true),
  })
  .refine((raw) => raw.block_out_channels.every((width) => width % raw.norm_num_groups === 0), {
    path: ['norm_num_groups'],
    message: 'expected a divisor of every block_out_channels',
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
