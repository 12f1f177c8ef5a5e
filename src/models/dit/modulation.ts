import { Linear } from '../../nn/linear.ts';
import { layerNorm } from '../../ops/norm.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { NORM_EPS } from './config.ts';

/**
 * Adaptive layer norm parameters: one linear of the activated conditioning vector, cut into equal chunks.
 *
 * Peebles and Xie, arXiv 2212.09748 section 3.2 (adaLN-Zero).
 */
export class Modulation {
  private readonly linear: Linear;
  private readonly width: number;
  private readonly numChunks: number;

  constructor(linear: Linear, width: number, numChunks: number) {
    this.linear = linear;
    this.width = width;
    this.numChunks = numChunks;
  }

  /** Takes `linear` with weight `[numChunks D, D]`. */
  static load(weights: WeightScope, width: number, numChunks: number): Modulation {
    const shape = { inFeatures: width, outFeatures: numChunks * width };
    return new Modulation(Linear.load(weights.at('linear'), shape), width, numChunks);
  }

  /** `[B, D]`, SiLU already applied -> `numChunks` views `[B, D]` in the order of the checkpoint. */
  forward(activated: Tensor): Tensor[] {
    const chunks = new Array<number>(this.numChunks).fill(this.width);
    return this.linear.forward(activated).split(1, chunks);
  }
}

/**
 * Shifts, scales and gates of a block, `[1, D]` in the order of the checkpoint; a list for each of its streams. They
 * depend on the conditioning alone, so that the weights that they are made of need not be there while the block runs.
 */
export type BlockModulation = readonly (readonly Tensor[])[];

/** Layer norm without affine, then `(1 + scale) x + shift`; `scale`, `shift` `[B, D]`, `x` `[B, L, D]`. */
export function modulate(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
  return layerNorm(x, { shift, scale, eps: NORM_EPS });
}
