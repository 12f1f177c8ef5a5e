import { CausalConv3d } from '../../nn/causal-conv3d.ts';
import { GroupNorm } from '../../nn/norm.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { NORM_EPS } from './config.ts';

/** Channels of a {@link ResnetBlock}. */
export interface ResnetShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly normGroups: number;
}

/** Norm, SiLU, convolution, twice, around a shortcut that is a 1 x 1 x 1 convolution where channels change. */
export class ResnetBlock {
  private readonly norm1: GroupNorm;
  private readonly conv1: CausalConv3d;
  private readonly norm2: GroupNorm;
  private readonly conv2: CausalConv3d;
  private readonly shortcut: CausalConv3d | null;

  private constructor(weights: WeightScope, shape: ResnetShape) {
    const { inChannels, outChannels, normGroups } = shape;
    const norm = { groups: normGroups, eps: NORM_EPS };
    const conv = (name: string, from: number, kernel: number): CausalConv3d =>
      CausalConv3d.load(weights.at(name), { inChannels: from, outChannels, kernel });
    this.norm1 = GroupNorm.load(weights.at('norm1'), inChannels, norm);
    this.conv1 = conv('conv1.conv', inChannels, 3);
    this.norm2 = GroupNorm.load(weights.at('norm2'), outChannels, norm);
    this.conv2 = conv('conv2.conv', outChannels, 3);
    this.shortcut = inChannels === outChannels ? null : conv('conv_shortcut.conv', inChannels, 1);
  }

  /** Takes `norm1`, `conv1.conv`, `norm2`, `conv2.conv` and, where channels change, `conv_shortcut.conv`. */
  static load(weights: WeightScope, shape: ResnetShape): ResnetBlock {
    return new ResnetBlock(weights, shape);
  }

  /** `[B, T, H, W, C_in]` -> `[B, T, H, W, C_out]`. */
  forward(x: Tensor): Tensor {
    return scope(() => {
      const hidden = this.conv1.forward(this.norm1.forward(x, { silu: true }));
      const residual = this.shortcut === null ? x : this.shortcut.forward(x);
      return this.conv2.forward(this.norm2.forward(hidden, { silu: true }), { residual });
    });
  }
}
