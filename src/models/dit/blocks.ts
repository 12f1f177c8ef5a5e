import { mergeHeads, splitHeads } from '../../nn/attention.ts';
import { Linear } from '../../nn/linear.ts';
import { Mlp } from '../../nn/mlp.ts';
import { attention } from '../../ops/attention.ts';
import { concat, copyInto } from '../../ops/copy.ts';
import { rmsNorm } from '../../ops/norm.ts';
import { type RopeTable, rope } from '../../ops/rope.ts';
import { scope } from '../../tensor/scope.ts';
import { empty, type Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { type DitConfig, NORM_EPS } from './config.ts';
import { type BlockModulation, Modulation, modulate } from './modulation.ts';

/** What a block is conditioned on. */
export interface BlockConditions {
  readonly modulation: BlockModulation;
  /** One entry for each image token; text tokens have no position. */
  readonly rope: RopeTable;
}

/** The two token streams of a double block. */
export interface Streams {
  /** `[1, L_image, D]`. */
  readonly image: Tensor;
  /** `[1, L_text, D]`. */
  readonly text: Tensor;
}

/** Joint attention of two streams with separate weights (MM-DiT, arXiv 2403.03206 figure 2). */
export class DoubleBlock {
  private readonly image: StreamHalf;
  private readonly text: StreamHalf;

  private constructor(image: StreamHalf, text: StreamHalf) {
    this.image = image;
    this.text = text;
  }

  /** Takes the tensors of `transformer_blocks.N` that {@link DoubleBlock.load} leaves: image stream, text stream. */
  static modulations(weights: WeightScope, { width }: DitConfig): readonly Modulation[] {
    return [
      Modulation.load(weights.at('norm1'), width, 6),
      Modulation.load(weights.at('norm1_context'), width, 6),
    ];
  }

  /** Takes the tensors of `transformer_blocks.N` but its modulations. */
  static load(weights: WeightScope, config: DitConfig): DoubleBlock {
    return new DoubleBlock(
      StreamHalf.load(weights, config, {
        q: 'to_q',
        k: 'to_k',
        v: 'to_v',
        normQ: 'norm_q',
        normK: 'norm_k',
        out: 'to_out.0',
        mlp: 'ff',
      }),
      StreamHalf.load(weights, config, {
        q: 'add_q_proj',
        k: 'add_k_proj',
        v: 'add_v_proj',
        normQ: 'norm_added_q',
        normK: 'norm_added_k',
        out: 'to_add_out',
        mlp: 'ff_context',
      }),
    );
  }

  /** Image tokens come first in the joint sequence; the streams keep their lengths. */
  forward(streams: Streams, conditions: BlockConditions): Streams {
    return scope(() => {
      const numImageTokens = streams.image.shape[1]!;
      const [imageChunks, textChunks] = conditions.modulation as [Chunks, Chunks];
      const attended = scope(() => {
        const mixed = scope(() => {
          const image = this.image.project(streams.image, imageChunks, conditions.rope);
          const text = this.text.project(streams.text, textChunks, null);
          const q = joinAndFree(image.q, text.q);
          const k = joinAndFree(image.k, text.k);
          const v = joinAndFree(image.v, text.v);
          return mergeHeads(attention(q, k, v));
        });
        const imagePart = mixed.slice(1, 0, numImageTokens);
        const textPart = mixed.slice(1, numImageTokens);
        return {
          image: this.image.attend(streams.image, imagePart, imageChunks),
          text: this.text.attend(streams.text, textPart, textChunks),
        };
      });
      return {
        image: this.image.finish(attended.image, imageChunks),
        text: this.text.finish(attended.text, textChunks),
      };
    });
  }
}

type Chunks = BlockModulation[number];

interface HalfNames {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly normQ: string;
  readonly normK: string;
  readonly out: string;
  readonly mlp: string;
}

interface HeadProjections {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly normQ: Tensor;
  readonly normK: Tensor;
  readonly headWidth: number;
}

interface HalfParts extends HeadProjections {
  readonly out: Linear;
  readonly mlp: Mlp;
}

interface HeadTensors {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

// Chunks in checkpoint order: shift, scale, gate of attention, then shift, scale, gate of the MLP.
class StreamHalf {
  private readonly parts: HalfParts;

  private constructor(parts: HalfParts) {
    this.parts = parts;
  }

  static load(weights: WeightScope, config: DitConfig, names: HalfNames): StreamHalf {
    const { width, headWidth, mlpRatio } = config;
    const attn = weights.at('attn');
    const linear = (name: string): Linear =>
      Linear.load(attn.at(name), { inFeatures: width, outFeatures: width });
    return new StreamHalf({
      q: linear(names.q),
      k: linear(names.k),
      v: linear(names.v),
      normQ: attn.take(`${names.normQ}.weight`, [headWidth]),
      normK: attn.take(`${names.normK}.weight`, [headWidth]),
      out: linear(names.out),
      mlp: Mlp.load(weights.at(names.mlp), {
        names: ['net.0.proj', 'net.2'],
        inFeatures: width,
        hiddenFeatures: width * mlpRatio,
        outFeatures: width,
        activation: 'gelu-tanh',
      }),
      headWidth,
    });
  }

  project(x: Tensor, chunks: readonly Tensor[], table: RopeTable | null): HeadTensors {
    return scope(() => projectHeads(modulate(x, chunks[0]!, chunks[1]!), this.parts, table));
  }

  attend(x: Tensor, mixed: Tensor, chunks: readonly Tensor[]): Tensor {
    return this.parts.out.forward(mixed, { residual: x, gate: chunks[2]! });
  }

  /** Overwrites `attended`. */
  finish(attended: Tensor, chunks: readonly Tensor[]): Tensor {
    return scope(() => {
      const normed = modulate(attended, chunks[3]!, chunks[4]!);
      const gate = chunks[5]!;
      return this.parts.mlp.forward(normed, { residual: attended, gate, into: attended });
    });
  }
}

/** Both streams as one sequence through one set of weights; attention and MLP run side by side. */
export class SingleBlock {
  private readonly heads: HeadProjections;
  private readonly mlpUp: Linear;
  private readonly out: Linear;
  private readonly hidden: number;

  private constructor(weights: WeightScope, config: DitConfig) {
    const { width, headWidth, mlpRatio } = config;
    const hidden = width * mlpRatio;
    const attn = weights.at('attn');
    const square = { inFeatures: width, outFeatures: width };
    this.heads = {
      q: Linear.load(attn.at('to_q'), square),
      k: Linear.load(attn.at('to_k'), square),
      v: Linear.load(attn.at('to_v'), square),
      normQ: attn.take('norm_q.weight', [headWidth]),
      normK: attn.take('norm_k.weight', [headWidth]),
      headWidth,
    };
    this.mlpUp = Linear.load(weights.at('proj_mlp'), { inFeatures: width, outFeatures: hidden });
    this.out = Linear.load(weights.at('proj_out'), {
      inFeatures: width + hidden,
      outFeatures: width,
    });
    this.hidden = hidden;
  }

  /** Takes the tensors of `single_transformer_blocks.N` that {@link SingleBlock.load} leaves. */
  static modulations(weights: WeightScope, { width }: DitConfig): readonly Modulation[] {
    return [Modulation.load(weights.at('norm'), width, 3)];
  }

  /** Takes the tensors of `single_transformer_blocks.N` but its modulation. */
  static load(weights: WeightScope, config: DitConfig): SingleBlock {
    return new SingleBlock(weights, config);
  }

  /**
   * @param x - `[1, L_image + L_text, D]`, image tokens first; only they are rotated.
   * @returns the same shape.
   */
  forward(x: Tensor, conditions: BlockConditions): Tensor {
    return scope(() => {
      const [shift, scale, gate] = conditions.modulation[0] as [Tensor, Tensor, Tensor];
      const normed = modulate(x, shift, scale);
      const mixed = scope(() => {
        const { q, k, v } = projectHeads(normed, this.heads, conditions.rope);
        return mergeHeads(attention(q, k, v));
      });
      const width = mixed.shape[2]!;
      const joined = empty(x.device, [...x.shape.slice(0, 2), width + this.hidden], x.dtype);
      copyInto(mixed, joined.slice(2, 0, width));
      mixed.dispose();
      this.mlpUp.forward(normed, { activation: 'gelu-tanh', into: joined.slice(2, width) });
      normed.dispose();
      return this.out.forward(joined, { residual: x, gate });
    });
  }
}

/** `[1, L, D]` -> heads `[1, L, N, K]`; what comes before the norms is freed at once. */
function projectHeads(
  normed: Tensor,
  parts: HeadProjections,
  table: RopeTable | null,
): HeadTensors {
  const heads = (layer: Linear): Tensor => splitHeads(layer.forward(normed), parts.headWidth);
  return {
    q: scope(() => normalizeAndRotate(heads(parts.q), parts.normQ, table)),
    k: scope(() => normalizeAndRotate(heads(parts.k), parts.normK, table)),
    v: scope(() => heads(parts.v)),
  };
}

/** Image tokens, then text tokens; the parts are freed, as both copies of q, k and v are too much at once. */
function joinAndFree(image: Tensor, text: Tensor): Tensor {
  const joined = concat([image, text], 1);
  image.dispose();
  text.dispose();
  return joined;
}

/** Per-head rms-norm of `[1, L, N, K]`, then rotation of as many leading tokens as the table has entries. */
function normalizeAndRotate(x: Tensor, weight: Tensor, table: RopeTable | null): Tensor {
  if (table === null) return rmsNorm(x, weight, { eps: NORM_EPS });
  return rope(x, table, { layout: 'interleaved', weight, eps: NORM_EPS });
}
