import { groupNorm, layerNorm, rmsNorm } from '../ops/norm.ts';
import { checkObject } from '../tensor/check.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';

/** Layer normalisation with a learned weight and bias `[D]`. */
export class LayerNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;

  constructor(weight: Tensor, bias: Tensor, eps: number) {
    this.weight = weight;
    this.bias = bias;
    this.eps = eps;
  }

  /** Takes `weight` and `bias`, both `[width]`. */
  static load(weights: WeightScope, width: number, eps: number): LayerNorm {
    checkLoad('LayerNorm.load', weights, { width });
    return new LayerNorm(weights.take('weight', [width]), weights.take('bias', [width]), eps);
  }

  /** `[..., D]` -> `[..., D]`. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
}

/** Root-mean-square normalisation with a learned weight `[D]`. */
export class RmsNorm {
  readonly weight: Tensor;
  readonly eps: number;

  constructor(weight: Tensor, eps: number) {
    this.weight = weight;
    this.eps = eps;
  }

  /** Takes `weight` `[width]`. */
  static load(weights: WeightScope, width: number, eps: number): RmsNorm {
    checkLoad('RmsNorm.load', weights, { width });
    return new RmsNorm(weights.take('weight', [width]), eps);
  }

  /** `[..., D]` -> `[..., D]`. */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { eps: this.eps });
  }
}

/** Group normalisation of channels-last tensors, statistics over the whole tensor of a batch entry. */
export class GroupNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly groups: number;
  readonly eps: number;

  constructor(weight: Tensor, bias: Tensor, options: { groups: number; eps: number }) {
    this.weight = weight;
    this.bias = bias;
    this.groups = options.groups;
    this.eps = options.eps;
  }

  /** Takes `weight` and `bias`, both `[channels]`. */
  static load(
    weights: WeightScope,
    channels: number,
    options: { groups: number; eps: number },
  ): GroupNorm {
    checkLoad('GroupNorm.load', weights, options);
    return new GroupNorm(
      weights.take('weight', [channels]),
      weights.take('bias', [channels]),
      options,
    );
  }

  /** `[B, ..., C]` -> the same shape; with `silu` the activation is fused behind the affine. */
  forward(x: Tensor, options: { silu?: boolean } = {}): Tensor {
    checkObject('GroupNorm.forward', 'options', options);
    return groupNorm(x, this.weight, this.bias, {
      groups: this.groups,
      eps: this.eps,
      silu: options.silu ?? false,
    });
  }
}
