import { conv3d } from '../ops/conv3d.ts';
import { contiguous } from '../ops/copy.ts';
import { sum } from '../ops/reduce.ts';
import { checkObject, checkTensor } from '../tensor/check.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';

/** Extents of a {@link CausalConv3d} layer; `kernel` is the edge of a cubic kernel, 1 or 3. */
export interface CausalConv3dShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride?: readonly [number, number, number];
}

/**
 * Convolution over `[B, T, H, W, C]` with replicate padding, all time padding in front.
 *
 * A single frame takes the two-dimensional path: every temporal tap sees the same frame, so the taps are summed
 * first (spec: exact up to rounding), a third of the work.
 */
export class CausalConv3d {
  /** `[C_out, kT, kH, kW, C_in]`, the stored dtype. */
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly stride: readonly [number, number, number];

  constructor(weight: Tensor, bias: Tensor, stride: readonly [number, number, number] = [1, 1, 1]) {
    this.weight = weight;
    this.bias = bias;
    this.stride = stride;
  }

  /** Takes `weight` `[C_out, C_in, k, k, k]` and `bias` `[C_out]`; keeps the weight with channels last. */
  static load(weights: WeightScope, shape: CausalConv3dShape): CausalConv3d {
    checkLoad('CausalConv3d.load', weights, shape);
    const { inChannels, outChannels, kernel, stride } = shape;
    // The permuted view would keep the stored weight alive beside the copy.
    const weight = scope(() => {
      const stored = weights.take('weight', [outChannels, inChannels, kernel, kernel, kernel]);
      return contiguous(stored.permute([0, 2, 3, 4, 1]));
    });
    return new CausalConv3d(weight, weights.take('bias', [outChannels]), stride);
  }

  /**
   * `[B, T, H, W, C_in]` -> `[B, (T - 1) / sT + 1, (H - 1) / sH + 1, (W - 1) / sW + 1, C_out]` (floors), plus
   * `residual` of the result's shape when given.
   */
  forward(x: Tensor, options: { residual?: Tensor; collapseSingleFrame?: boolean } = {}): Tensor {
    checkTensor('CausalConv3d.forward', 'x', x);
    checkObject('CausalConv3d.forward', 'options', options);
    const collapse = (options.collapseSingleFrame ?? true) && x.shape[1] === 1;
    const epilogue = { bias: this.bias, ...(options.residual && { residual: options.residual }) };
    if (!collapse || this.weight.shape[1] === 1) {
      return conv3d(x, this.weight, { ...epilogue, stride: this.stride });
    }
    return scope(() => {
      const planar = collapseTime(this.weight, x.dtype as FloatDType);
      return conv3d(x, planar, { ...epilogue, stride: [1, this.stride[1], this.stride[2]] });
    });
  }
}

/** `[C_out, kT, kH, kW, C_in]` -> `[C_out, 1, kH, kW, C_in]`: the sum over the temporal taps, rounded once. */
export function collapseTime(weight: Tensor, dtype: FloatDType): Tensor {
  return sum(weight, { axis: 1, keepAxis: true, outDtype: dtype });
}
