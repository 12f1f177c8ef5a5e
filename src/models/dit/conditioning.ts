import { Mlp } from '../../nn/mlp.ts';
import { timestepEmbedding } from '../../nn/timestep-embedding.ts';
import { add } from '../../ops/elementwise.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { type DitConfig, SINUSOID_WIDTH } from './config.ts';

/**
 * `time_text_embed`: the vector that modulates every block, a sum of embedded timestep, guidance and pooled text.
 *
 * The token refiner has one of its own, without guidance.
 */
export class ConditioningEmbedder {
  private readonly timestep: Mlp;
  private readonly guidance: Mlp | null;
  private readonly text: Mlp;

  private constructor(timestep: Mlp, guidance: Mlp | null, text: Mlp) {
    this.timestep = timestep;
    this.guidance = guidance;
    this.text = text;
  }

  /** Takes `timestep_embedder`, `text_embedder` and, with `hasGuidance`, `guidance_embedder`. */
  static load(
    weights: WeightScope,
    config: DitConfig,
    options: { textWidth: number; hasGuidance: boolean },
  ): ConditioningEmbedder {
    const mlp = (name: string, inFeatures: number): Mlp =>
      Mlp.load(weights.at(name), {
        names: ['linear_1', 'linear_2'],
        inFeatures,
        hiddenFeatures: config.width,
        outFeatures: config.width,
        activation: 'silu',
      });
    return new ConditioningEmbedder(
      mlp('timestep_embedder', SINUSOID_WIDTH),
      options.hasGuidance ? mlp('guidance_embedder', SINUSOID_WIDTH) : null,
      mlp('text_embedder', options.textWidth),
    );
  }

  /**
   * @param text - `[1, C]` pooled text in the compute dtype.
   * @param timestep - noise level x 1000, already rounded as the model dtype asks.
   * @param guidance - distilled guidance x 1000, ignored without a guidance embedder.
   * @returns `[1, D]`.
   */
  forward(text: Tensor, timestep: number, guidance = 0): Tensor {
    return scope(() => {
      const dtype = text.dtype as FloatDType;
      const embed = (mlp: Mlp, tau: number): Tensor =>
        mlp.forward(timestepEmbedding(text.device, tau, SINUSOID_WIDTH, dtype));
      const time = embed(this.timestep, timestep);
      const base = this.guidance === null ? time : add(time, embed(this.guidance, guidance));
      return add(base, this.text.forward(text));
    });
  }
}
