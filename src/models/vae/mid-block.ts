import { SelfAttention } from '../../nn/attention.ts';
import { GroupNorm } from '../../nn/norm.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { NORM_EPS, type VaeConfig } from './config.ts';
import { ResnetBlock } from './resnet-block.ts';

/** Receives named intermediate values; they are freed when the stage that made them returns. */
export type VaeTap = (name: string, value: Tensor) => void;

/** Resnet block, frame-causal attention with one head over all channels, resnet block. */
export class MidBlock {
  private readonly first: ResnetBlock;
  private readonly norm: GroupNorm;
  private readonly attention: SelfAttention;
  private readonly second: ResnetBlock;

  private constructor(weights: WeightScope, config: VaeConfig) {
    const channels = config.blockChannels[3];
    const { normGroups } = config;
    const shape = { inChannels: channels, outChannels: channels, normGroups };
    const attn = weights.at('attentions.0');
    const names = { q: 'to_q', k: 'to_k', v: 'to_v', out: 'to_out.0' };
    this.first = ResnetBlock.load(weights.at('resnets.0'), shape);
    this.norm = GroupNorm.load(attn.at('group_norm'), channels, {
      groups: normGroups,
      eps: NORM_EPS,
    });
    this.attention = SelfAttention.load(attn, names, { width: channels, headWidth: channels });
    this.second = ResnetBlock.load(weights.at('resnets.1'), shape);
  }

  /** Takes the tensors of `mid_block`. */
  static load(weights: WeightScope, config: VaeConfig): MidBlock {
    return new MidBlock(weights, config);
  }

  /** `[1, T, H, W, C]` -> the same shape. A token sees every token of its own and of earlier frames. */
  forward(x: Tensor, tap?: VaeTap): Tensor {
    return scope(() => {
      const hidden = this.first.forward(x);
      const [batch, frames, height, width, channels] = hidden.shape as FiveExtents;
      const tokens = hidden.reshape([batch, frames * height * width, channels]);
      const normed = this.norm.forward(tokens);
      const attended = this.attention.forward(
        normed,
        { mask: 'frame-causal', frameTokens: height * width },
        { residual: tokens },
      );
      tap?.('mid_block.attn', attended);
      return this.second.forward(attended.reshape(hidden.shape));
    });
  }
}

type FiveExtents = [number, number, number, number, number];
