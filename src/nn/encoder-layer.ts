import type { AttentionOptions } from '../ops/attention.ts';
import type { Activation } from '../ops/linear.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';
import { SelfAttention } from './attention.ts';
import { type BlockStep, type Pace, runChain } from './block-chain.ts';
import { Mlp } from './mlp.ts';
import { LayerNorm } from './norm.ts';

/** Widths and constants of an {@link EncoderLayer}. */
export interface EncoderLayerShape {
  readonly width: number;
  readonly headWidth: number;
  readonly hiddenWidth: number;
  readonly eps: number;
  readonly activation: Exclude<Activation, 'none'>;
}

/** The pre-norm transformer layer that CLIP's text tower and SigLIP's vision tower share. */
export class EncoderLayer {
  private readonly norm1: LayerNorm;
  private readonly attention: SelfAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: Mlp;

  private constructor(parts: {
    norm1: LayerNorm;
    attention: SelfAttention;
    norm2: LayerNorm;
    mlp: Mlp;
  }) {
    this.norm1 = parts.norm1;
    this.attention = parts.attention;
    this.norm2 = parts.norm2;
    this.mlp = parts.mlp;
  }

  /** Takes `layer_norm1|2`, `self_attn.{q,k,v,out}_proj` and `mlp.fc1|fc2`. */
  static load(weights: WeightScope, shape: EncoderLayerShape): EncoderLayer {
    checkLoad('EncoderLayer.load', weights, shape);
    const { width, headWidth, hiddenWidth, eps, activation } = shape;
    const names = { q: 'q_proj', k: 'k_proj', v: 'v_proj', out: 'out_proj' };
    return new EncoderLayer({
      norm1: LayerNorm.load(weights.at('layer_norm1'), width, eps),
      attention: SelfAttention.load(weights.at('self_attn'), names, { width, headWidth }),
      norm2: LayerNorm.load(weights.at('layer_norm2'), width, eps),
      mlp: Mlp.load(weights.at('mlp'), {
        names: ['fc1', 'fc2'],
        inFeatures: width,
        hiddenFeatures: hiddenWidth,
        outFeatures: width,
        activation,
      }),
    });
  }

  /** `[B, L, D]` -> `[B, L, D]`. */
  forward(x: Tensor, options: AttentionOptions = {}): Tensor {
    return scope(() => {
      const attended = this.attention.forward(this.norm1.forward(x), options, { residual: x });
      return this.mlp.forward(this.norm2.forward(attended), { residual: attended });
    });
  }
}

/** Runs `layers` over `[B, L, D]`, one intermediate at a time. */
export async function runLayers(
  x: Tensor,
  layers: readonly EncoderLayer[],
  options: AttentionOptions & { pace?: Pace | undefined },
): Promise<Tensor> {
  const { pace, ...attention } = options;
  const steps = layers.map(
    (layer): BlockStep<{ x: Tensor }> =>
      (state) => ({ x: layer.forward(state.x, attention) }),
  );
  return (await runChain({ x }, steps, pace)).x;
}
