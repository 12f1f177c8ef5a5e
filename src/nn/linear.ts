import { type LinearEpilogue, linear } from '../ops/linear.ts';
import type { Tensor, Weight } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';

/** Extents of a {@link Linear} layer and whether the checkpoint holds a bias for it. */
export interface LinearShape {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly hasBias?: boolean;
}

/** `y = x W^T + b` with a weight of any stored format (f32, f16, bf16, or fp8 with scales). */
export class Linear {
  readonly weight: Weight;
  readonly bias: Tensor | null;

  constructor(weight: Weight, bias: Tensor | null) {
    this.weight = weight;
    this.bias = bias;
  }

  /**
   * Takes `weight` `[outFeatures, inFeatures]` and, unless `hasBias` is false, `bias` `[outFeatures]`.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when a tensor is missing or has another shape.
   */
  static load(weights: WeightScope, shape: LinearShape): Linear {
    checkLoad('Linear.load', weights, shape);
    const weight = weights.takeWeight('weight', [shape.outFeatures, shape.inFeatures]);
    const bias = shape.hasBias === false ? null : weights.take('bias', [shape.outFeatures]);
    return new Linear(weight, bias);
  }

  /** `[..., inFeatures]` -> `[..., outFeatures]`, dtype of `x` unless the epilogue says otherwise. */
  forward(x: Tensor, epilogue: LinearEpilogue = {}): Tensor {
    return linear(x, this.weight, this.bias ?? undefined, epilogue);
  }
}
