/**
 * CLIP's text tower and its pooled vector.
 *
 * Radford et al., arXiv 2103.00020 section 2.4. Agrees numerically with transformers 4.46 `CLIPTextModel`
 * (modeling_clip.py): the pooled vector is the final-normed state at the first end token, without projection.
 */
import type { Pace } from '../../nn/block-chain.ts';
import { EncoderLayer, runLayers } from '../../nn/encoder-layer.ts';
import { LayerNorm } from '../../nn/norm.ts';
import { cast } from '../../ops/copy.ts';
import { add } from '../../ops/elementwise.ts';
import { embedding } from '../../ops/gather.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { CLIP_NAMES } from '../../weights/network-names.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { ClipTextConfig } from './config.ts';

/** See the file header. Valid inside the memory scope in which it was loaded. */
export class ClipText {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly tokenEmbedding: Tensor;
  private readonly positionEmbedding: Tensor;
  private readonly layers: readonly EncoderLayer[];
  private readonly finalNorm: LayerNorm;
  private readonly dtype: FloatDType;

  private constructor(parts: {
    tokenEmbedding: Tensor;
    positionEmbedding: Tensor;
    layers: readonly EncoderLayer[];
    finalNorm: LayerNorm;
    dtype: FloatDType;
    leftOver: readonly string[];
  }) {
    this.leftOver = parts.leftOver;
    this.tokenEmbedding = parts.tokenEmbedding;
    this.positionEmbedding = parts.positionEmbedding;
    this.layers = parts.layers;
    this.finalNorm = parts.finalNorm;
    this.dtype = parts.dtype;
  }

  /** Takes everything below `text_model`, wherever the file has it. */
  static load(weights: WeightScope, config: ClipTextConfig, dtype: FloatDType): ClipText {
    const { hiddenSize, layerNormEps } = config;
    const root = weights.network(CLIP_NAMES, dtype);
    const embeddings = root.at('embeddings');
    const layers = Array.from({ length: config.numLayers }, (_, index) =>
      EncoderLayer.load(root.at(`encoder.layers.${index}`), {
        width: hiddenSize,
        headWidth: hiddenSize / config.numHeads,
        hiddenWidth: config.intermediateSize,
        eps: layerNormEps,
        activation: 'quick-gelu',
      }),
    );
    return new ClipText({
      tokenEmbedding: embeddings.take('token_embedding.weight', [
        config.vocabularySize,
        hiddenSize,
      ]),
      positionEmbedding: embeddings.take('position_embedding.weight', [
        config.maxPositions,
        hiddenSize,
      ]),
      layers,
      finalNorm: LayerNorm.load(root.at('final_layer_norm'), hiddenSize, layerNormEps),
      dtype,
      leftOver: root.leftOver(),
    });
  }

  /**
   * Attention is causal, so tokens behind the first end token cannot reach it and are not run.
   *
   * @param ids - start token, text, end token, padding.
   * @returns `hidden` `[1, L, D]`, final-normed states up to the first end token, and `pooled` `[1, D]`, the last.
   */
  async forward(ids: readonly number[], pace?: Pace): Promise<{ hidden: Tensor; pooled: Tensor }> {
    return scope(async () => {
      const length = endPosition(ids) + 1;
      const positions = this.positionEmbedding.slice(0, 0, length);
      const tokens = embedding(this.tokenEmbedding, ids.slice(0, length), this.dtype);
      const embedded = add(tokens, cast(positions, this.dtype)).unsqueeze(0);
      const hidden = this.finalNorm.forward(
        await runLayers(embedded, this.layers, { mask: 'causal', pace }),
      );
      return { hidden, pooled: hidden.slice(1, length - 1).squeeze(1) };
    });
  }
}

/** The end token has the largest id of the vocabulary, so its first occurrence is the first maximum. */
function endPosition(ids: readonly number[]): number {
  return ids.indexOf(ids.reduce((largest, id) => Math.max(largest, id), 0));
}
