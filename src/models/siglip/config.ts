import { z } from 'zod';
import { count, epsilon, extent } from '../../weights/config-fields.ts';

/** The fields of `image_encoder/config.json` that decide the computation. */
export interface SiglipVisionConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
  readonly layerNormEps: number;
}

/** Longest edge of the picture that the encoder sees. */
const MAX_EDGE = 4096;

const schema = z
  .object({
    hidden_size: extent,
    intermediate_size: extent,
    num_hidden_layers: count,
    num_attention_heads: count,
    image_size: extent.max(MAX_EDGE),
    patch_size: extent.max(MAX_EDGE),
    num_channels: z.literal(3).default(3),
    layer_norm_eps: epsilon.default(1e-6),
    hidden_act: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
  })
  .refine((raw) => raw.hidden_size % raw.num_attention_heads === 0, {
    path: ['num_attention_heads'],
    message: 'expected a divisor of hidden_size',
  })
  .refine((raw) => raw.patch_size <= raw.image_size, {
    path: ['patch_size'],
    message: 'expected at most image_size',
  });

/** Reads a Hugging Face SigLIP vision config; throws a `ZodError` on a field the network cannot honour. */
export function parseSiglipVisionConfig(json: unknown): SiglipVisionConfig {
  const raw = schema.parse(json);
  return {
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    imageSize: raw.image_size,
    patchSize: raw.patch_size,
    channels: raw.num_channels,
    layerNormEps: raw.layer_norm_eps,
  };
}
