import { z } from 'zod';
import { count, epsilon, extent, rotaryBase } from '../../weights/config-fields.ts';

/** The fields of `text_encoder/config.json` that decide the computation. */
export interface LlamaConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headWidth: number;
  readonly vocabularySize: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /** Most tokens that it was trained for, or null when the file does not say. */
  readonly maxPositions: number | null;
}

const schema = z
  .object({
    hidden_size: extent,
    intermediate_size: extent,
    num_hidden_layers: count,
    num_attention_heads: count,
    num_key_value_heads: count.optional(),
    head_dim: extent.nullish(),
    vocab_size: extent,
    max_position_embeddings: extent.optional(),
    rms_norm_eps: epsilon,
    rope_theta: rotaryBase.optional(),
    rope_parameters: z
      .object({ rope_theta: rotaryBase, rope_type: z.literal('default').optional() })
      .optional(),
    hidden_act: z.literal('silu').optional(),
    attention_bias: z.literal(false).optional(),
    mlp_bias: z.literal(false).optional(),
    rope_scaling: z.null().optional(),
  })
  .refine((raw) => (raw.rope_parameters?.rope_theta ?? raw.rope_theta) !== undefined, {
    path: ['rope_theta'],
    message: 'expected a number here or in rope_parameters',
  })
  .refine((raw) => raw.num_attention_heads % (raw.num_key_value_heads ?? 1) === 0, {
    path: ['num_key_value_heads'],
    message: 'expected a divisor of num_attention_heads',
  })
  .refine((raw) => headWidth(raw) % 2 === 0, {
    path: ['head_dim'],
    message: 'expected an even width, given or as hidden_size / num_attention_heads',
  });

interface HeadFields {
  readonly head_dim?: number | null | undefined;
  readonly hidden_size: number;
  readonly num_attention_heads: number;
}

function headWidth(raw: HeadFields): number {
  return raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
}

/** Reads a Hugging Face Llama config; throws a `ZodError` on a field the network cannot honour. */
export function parseLlamaConfig(json: unknown): LlamaConfig {
  const raw = schema.parse(json);
  return {
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    numKvHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headWidth: headWidth(raw),
    vocabularySize: raw.vocab_size,
    rmsNormEps: raw.rms_norm_eps,
    ropeTheta: (raw.rope_parameters?.rope_theta ?? raw.rope_theta)!,
    maxPositions: raw.max_position_embeddings ?? null,
  };
}
