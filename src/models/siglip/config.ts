import { z } from 'zod';

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

const positive = z.number().int().positive();

const schema = z.object({
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  image_size: positive,
  patch_size: positive,
  num_channels: positive.default(3),
  layer_norm_eps: z.number().positive().default(1e-6),
  hidden_act: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
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
