import { mergeHeads, splitHeads } from '../../nn/attention.ts';
import { Linear } from '../../nn/linear.ts';
import { Mlp } from '../../nn/mlp.ts';
import { attention } from '../../ops/attention.ts';
import { concat } from '../../ops/copy.ts';
import { rmsNorm } from '../../ops/norm.ts';
import { type RopeTable, rope } from '../../ops/rope.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { type DitConfig, NORM_EPS } from './config.ts';
import { Modulation, modulate } from './modulation.ts';

/** What every block of a forward pass is conditioned on. */
export interface BlockConditions {
  /** `[1, D]`, SiLU already applied. */
  readonly activated: Tensor;
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

  /** Takes the tensors of `transformer_blocks.N`. */
  static load(weights: WeightScope, config: DitConfig): DoubleBlock {
    return new DoubleBlock(
      StreamHalf.load(weights, config, {
        modulation: 'norm1',
        q: 'to_q',
        k: 'to_k',
        v: 'to_v',
        normQ: 'norm_q',
        normK: 'norm_k',
        out: 'to_out.0',
        mlp: 'ff',
      }),
      StreamHalf.load(weights, config, {
        modulation: 'norm1_context',
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

  /** The image stream as attention's projections see it. */
  modulateImage(image: Tensor, conditions: BlockConditions): Tensor {
    return scope(() => {
      const chunks = this.image.modulation.forward(conditions.activated);
      return modulate(image, chunks[0]!, chunks[1]!);
    });
  }

  /** Image tokens come first in the joint sequence; the streams keep their lengths. */
  forward(streams: Streams, conditions: BlockConditions): Streams {
    return scope(() => {
      const numImageTokens = streams.image.shape[1]!;
      const imageChunks = this.image.modulation.forward(conditions.activated);
      const textChunks = this.text.modulation.forward(conditions.activated);
      const image = this.image.project(streams.image, imageChunks, conditions.rope);
      const text = this.text.project(streams.text, textChunks, null);
      const mixed = mergeHeads(
        attention(
          concat([image.q, text.q], 1),
          concat([image.k, text.k], 1),
          concat([image.v, text.v], 1),
        ),
      );
      return {
        image: this.image.finish(streams.image, mixed.slice(1, 0, numImageTokens), imageChunks),
        text: this.text.finish(streams.text, mixed.slice(1, numImageTokens), textChunks),
      };
    });
  }
}

interface HalfNames {
  readonly modulation: string;
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly normQ: string;
  readonly normK: string;
  readonly out: string;
  readonly mlp: string;
}

interface HalfParts {
  readonly modulation: Modulation;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly normQ: Tensor;
  readonly normK: Tensor;
  readonly out: Linear;
  readonly mlp: Mlp;
  readonly headWidth: number;
}

interface HeadTensors {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

// Chunks in checkpoint order: shift, scale, gate of attention, then shift, scale, gate of the MLP.
class StreamHalf {
  readonly modulation: Modulation;
  private readonly parts: HalfParts;

  private constructor(parts: HalfParts) {
    this.modulation = parts.modulation;
    this.parts = parts;
  }

  static load(weights: WeightScope, config: DitConfig, names: HalfNames): StreamHalf {
    const { width, headWidth, mlpRatio } = config;
    const attn = weights.at('attn');
    const linear = (name: string): Linear =>
      Linear.load(attn.at(name), { inFeatures: width, outFeatures: width });
    return new StreamHalf({
      modulation: Modulation.load(weights.at(names.modulation), width, 6),
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
    const normed = modulate(x, chunks[0]!, chunks[1]!);
    const heads = (layer: Linear): Tensor =>
      splitHeads(layer.forward(normed), this.parts.headWidth);
    return {
      q: normalizeAndRotate(heads(this.parts.q), this.parts.normQ, table),
      k: normalizeAndRotate(heads(this.parts.k), this.parts.normK, table),
      v: heads(this.parts.v),
    };
  }

  finish(x: Tensor, mixed: Tensor, chunks: readonly Tensor[]): Tensor {
    const attended = this.parts.out.forward(mixed, { residual: x, gate: chunks[2]! });
    const normed = modulate(attended, chunks[3]!, chunks[4]!);
    return this.parts.mlp.forward(normed, { residual: attended, gate: chunks[5]! });
  }
}

/** Both streams as one sequence through one set of weights; attention and MLP run side by side. */
export class SingleBlock {
  private readonly modulation: Modulation;
  private readonly q: Linear;
  private readonly k: Linear;
  private readonly v: Linear;
  private readonly normQ: Tensor;
  private readonly normK: Tensor;
  private readonly mlpUp: Linear;
  private readonly out: Linear;
  private readonly headWidth: number;

  private constructor(weights: WeightScope, config: DitConfig) {
    const { width, headWidth, mlpRatio } = config;
    const hidden = width * mlpRatio;
    const attn = weights.at('attn');
    const square = { inFeatures: width, outFeatures: width };
    this.modulation = Modulation.load(weights.at('norm'), width, 3);
    this.q = Linear.load(attn.at('to_q'), square);
    this.k = Linear.load(attn.at('to_k'), square);
    this.v = Linear.load(attn.at('to_v'), square);
    this.normQ = attn.take('norm_q.weight', [headWidth]);
    this.normK = attn.take('norm_k.weight', [headWidth]);
    this.mlpUp = Linear.load(weights.at('proj_mlp'), { inFeatures: width, outFeatures: hidden });
    this.out = Linear.load(weights.at('proj_out'), {
      inFeatures: width + hidden,
      outFeatures: width,
    });
    this.headWidth = headWidth;
  }

  /** Takes the tensors of `single_transformer_blocks.N`. */
  static load(weights: WeightScope, config: DitConfig): SingleBlock {
    return new SingleBlock(weights, config);
  }

  /**
   * @param x - `[1, L_image + L_text, D]`, image tokens first; only they are rotated.
   * @returns the same shape.
   */
  forward(x: Tensor, conditions: BlockConditions): Tensor {
    return scope(() => {
      const chunks = this.modulation.forward(conditions.activated);
      const [shift, scale, gate] = chunks as [Tensor, Tensor, Tensor];
      const normed = modulate(x, shift, scale);
      const heads = (layer: Linear): Tensor => splitHeads(layer.forward(normed), this.headWidth);
      const mixed = attention(
        normalizeAndRotate(heads(this.q), this.normQ, conditions.rope),
        normalizeAndRotate(heads(this.k), this.normK, conditions.rope),
        heads(this.v),
      );
      const hidden = this.mlpUp.forward(normed, { activation: 'gelu-tanh' });
      return this.out.forward(concat([mergeHeads(mixed), hidden], 2), { residual: x, gate });
    });
  }
}

/** Per-head rms-norm of `[1, L, N, K]`, then rotation of as many leading tokens as the table has entries. */
function normalizeAndRotate(x: Tensor, weight: Tensor, table: RopeTable | null): Tensor {
  if (table === null) return rmsNorm(x, weight, { eps: NORM_EPS });
  return rope(x, table, { layout: 'interleaved', weight, eps: NORM_EPS });
}
