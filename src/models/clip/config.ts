import { z } from 'zod';

/** The fields of `text_encoder_2/config.json` that decide the computation. */
export interface ClipTextConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  readonly layerNormEps: number;
}

const positive = z.number().int().positive();

const schema = z.object({
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  vocab_size: positive,
  max_position_embeddings: positive,
  layer_norm_eps: z.number().positive(),
  hidden_act: z.literal('quick_gelu'),
});

/** Reads a Hugging Face CLIP text config; throws a `ZodError` on a field the network cannot honour. */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  const raw = schema.parse(json);
  return {
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    vocabularySize: raw.vocab_size,
    maxPositions: raw.max_position_embeddings,
    layerNormEps: raw.layer_norm_eps,
  };
}
