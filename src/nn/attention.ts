import { type AttentionOptions, attention } from '../ops/attention.ts';
import type { LinearEpilogue } from '../ops/linear.ts';
import { checkObject } from '../tensor/check.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';
import { Linear } from './linear.ts';

/** `[B, L, N K]` -> `[B, L, N, K]`, a view. */
export function splitHeads(x: Tensor, headWidth: number): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return x.reshape([batch, tokens, width / headWidth, headWidth]);
}

/** `[B, L, N, K]` -> `[B, L, N K]`, a view. */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, tokens, heads, headWidth] = x.shape as [number, number, number, number];
  return x.reshape([batch, tokens, heads * headWidth]);
}

/** Names of the four projections in the checkpoint; they differ between families, the mathematics does not. */
export interface ProjectionNames {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly out: string;
}

/** Widths of a {@link SelfAttention} layer. */
export interface SelfAttentionShape {
  readonly width: number;
  readonly headWidth: number;
}

/** Multi-head self-attention with biased projections and no rotary embedding. */
export class SelfAttention {
  private readonly q: Linear;
  private readonly k: Linear;
  private readonly v: Linear;
  private readonly out: Linear;
  private readonly headWidth: number;

  constructor(projections: Record<keyof ProjectionNames, Linear>, headWidth: number) {
    this.q = projections.q;
    this.k = projections.k;
    this.v = projections.v;
    this.out = projections.out;
    this.headWidth = headWidth;
  }

  /** Takes the four projections `[D, D]` with biases `[D]` under the given names. */
  static load(
    weights: WeightScope,
    names: ProjectionNames,
    shape: SelfAttentionShape,
  ): SelfAttention {
    checkLoad('SelfAttention.load', weights, shape);
    checkObject('SelfAttention.load', 'names', names);
    const square = { inFeatures: shape.width, outFeatures: shape.width };
    const load = (name: string): Linear => Linear.load(weights.at(name), square);
    const projections = {
      q: load(names.q),
      k: load(names.k),
      v: load(names.v),
      out: load(names.out),
    };
    return new SelfAttention(projections, shape.headWidth);
  }

  /** `[B, L, D]` -> `[B, L, D]`; the epilogue (residual, gate) is fused into the output projection. */
  forward(x: Tensor, options: AttentionOptions = {}, epilogue: LinearEpilogue = {}): Tensor {
    const heads = (layer: Linear): Tensor => splitHeads(layer.forward(x), this.headWidth);
    const mixed = attention(heads(this.q), heads(this.k), heads(this.v), options);
    return this.out.forward(mergeHeads(mixed), epilogue);
  }
}
