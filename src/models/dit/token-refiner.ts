import { SelfAttention } from '../../nn/attention.ts';
import { Linear } from '../../nn/linear.ts';
import { Mlp } from '../../nn/mlp.ts';
import { LayerNorm } from '../../nn/norm.ts';
import { silu } from '../../ops/elementwise.ts';
import { mean } from '../../ops/reduce.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { ConditioningEmbedder } from './conditioning.ts';
import { type DitConfig, NORM_EPS } from './config.ts';
import { Modulation } from './modulation.ts';

/**
 * `context_embedder`: refines the text encoder's states with a few bidirectional blocks, gated by the timestep and
 * the mean of the text.
 *
 * HunyuanVideo, arXiv 2412.03603 section 4.3. Only valid tokens are given, which equals the reference's masking.
 */
export class TokenRefiner {
  private readonly conditioning: ConditioningEmbedder;
  private readonly projection: Linear;
  private readonly blocks: readonly RefinerBlock[];

  private constructor(
    conditioning: ConditioningEmbedder,
    projection: Linear,
    blocks: readonly RefinerBlock[],
  ) {
    this.conditioning = conditioning;
    this.projection = projection;
    this.blocks = blocks;
  }

  /** Takes `proj_in`, `time_text_embed.*` and `token_refiner.refiner_blocks.N.*`. */
  static load(weights: WeightScope, config: DitConfig): TokenRefiner {
    const { textWidth, width } = config;
    return new TokenRefiner(
      ConditioningEmbedder.load(weights.at('time_text_embed'), config, {
        textWidth,
        hasGuidance: false,
      }),
      Linear.load(weights.at('proj_in'), { inFeatures: textWidth, outFeatures: width }),
      Array.from({ length: config.numRefinerBlocks }, (_, index) =>
        RefinerBlock.load(weights.at(`token_refiner.refiner_blocks.${index}`), config),
      ),
    );
  }

  /** `[1, L, C_text]` -> `[1, L, D]`. */
  forward(text: Tensor, timestep: number): Tensor {
    return scope(() => {
      const pooled = mean(text, { axis: 1 });
      const conditioning = silu(this.conditioning.forward(pooled, timestep));
      let x = this.projection.forward(text);
      for (const block of this.blocks) x = block.forward(x, conditioning);
      return x;
    });
  }
}

class RefinerBlock {
  private readonly norm1: LayerNorm;
  private readonly attention: SelfAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: Mlp;
  private readonly gates: Modulation;

  private constructor(parts: {
    norm1: LayerNorm;
    attention: SelfAttention;
    norm2: LayerNorm;
    mlp: Mlp;
    gates: Modulation;
  }) {
    this.norm1 = parts.norm1;
    this.attention = parts.attention;
    this.norm2 = parts.norm2;
    this.mlp = parts.mlp;
    this.gates = parts.gates;
  }

  static load(weights: WeightScope, config: DitConfig): RefinerBlock {
    const { width, headWidth } = config;
    const names = { q: 'to_q', k: 'to_k', v: 'to_v', out: 'to_out.0' };
    return new RefinerBlock({
      norm1: LayerNorm.load(weights.at('norm1'), width, NORM_EPS),
      attention: SelfAttention.load(weights.at('attn'), names, { width, headWidth }),
      norm2: LayerNorm.load(weights.at('norm2'), width, NORM_EPS),
      mlp: Mlp.load(weights.at('ff'), {
        names: ['net.0.proj', 'net.2'],
        inFeatures: width,
        hiddenFeatures: width * config.mlpRatio,
        outFeatures: width,
        activation: 'silu',
      }),
      gates: Modulation.load(weights.at('norm_out'), width, 2),
    });
  }

  forward(x: Tensor, conditioning: Tensor): Tensor {
    return scope(() => {
      const [attentionGate, mlpGate] = this.gates.forward(conditioning) as [Tensor, Tensor];
      const normed = this.norm1.forward(x);
      const attended = this.attention.forward(normed, {}, { residual: x, gate: attentionGate });
      return this.mlp.forward(this.norm2.forward(attended), { residual: attended, gate: mlpGate });
    });
  }
}
