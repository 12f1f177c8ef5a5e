import { z } from 'zod';
import { count, epsilon, extent } from '../../weights/config-fields.ts';

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

const schema = z
  .object({
    hidden_size: extent,
    intermediate_size: extent,
    num_hidden_layers: count,
    num_attention_heads: count,
    vocab_size: extent,
    max_position_embeddings: extent,
    layer_norm_eps: epsilon,
    hidden_act: z.literal('quick_gelu'),
  })
  .refine((raw) => raw.hidden_size % raw.num_attention_heads === 0, {
    path: ['num_attention_heads'],
    message: 'expected a divisor of hidden_size',
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
