/**
 * SigLIP's vision tower without its pooling head.
 *
 * Zhai et al., arXiv 2303.15343. Agrees numerically with transformers 4.46 `SiglipVisionModel`
 * (modeling_siglip.py): the result is the post-normed last hidden state.
 */
import type { Pace } from '../../nn/block-chain.ts';
import { EncoderLayer, runLayers } from '../../nn/encoder-layer.ts';
import { LayerNorm } from '../../nn/norm.ts';
import { cast } from '../../ops/copy.ts';
import { add } from '../../ops/elementwise.ts';
import { patchify } from '../../ops/patchify.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { SIGLIP_NAMES } from '../../weights/network-names.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { SiglipVisionConfig } from './config.ts';

/** See the file header. Valid inside the memory scope in which it was loaded. */
export class SiglipVision {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly config: SiglipVisionConfig;
  private readonly patchWeight: Tensor;
  private readonly patchBias: Tensor;
  private readonly positionEmbedding: Tensor;
  private readonly layers: readonly EncoderLayer[];
  private readonly postNorm: LayerNorm;
  private readonly dtype: FloatDType;

  private constructor(parts: {
    config: SiglipVisionConfig;
    patchWeight: Tensor;
    patchBias: Tensor;
    positionEmbedding: Tensor;
    layers: readonly EncoderLayer[];
    postNorm: LayerNorm;
    dtype: FloatDType;
    leftOver: readonly string[];
  }) {
    this.leftOver = parts.leftOver;
    this.config = parts.config;
    this.patchWeight = parts.patchWeight;
    this.patchBias = parts.patchBias;
    this.positionEmbedding = parts.positionEmbedding;
    this.layers = parts.layers;
    this.postNorm = parts.postNorm;
    this.dtype = parts.dtype;
  }

  /** Takes everything below `vision_model` but its `head`, wherever the file has it. */
  static load(weights: WeightScope, config: SiglipVisionConfig, dtype: FloatDType): SiglipVision {
    const { hiddenSize, channels, patchSize, layerNormEps } = config;
    const root = weights.network(SIGLIP_NAMES, dtype);
    const patch = root.at('embeddings.patch_embedding');
    const numTokens = gridSize(config) ** 2;
    const layers = Array.from({ length: config.numLayers }, (_, index) =>
      EncoderLayer.load(root.at(`encoder.layers.${index}`), {
        width: hiddenSize,
        headWidth: hiddenSize / config.numHeads,
        hiddenWidth: config.intermediateSize,
        eps: layerNormEps,
        activation: 'gelu-tanh',
      }),
    );
    return new SiglipVision({
      config,
      patchWeight: patch.take('weight', [hiddenSize, channels, patchSize, patchSize]),
      patchBias: patch.take('bias', [hiddenSize]),
      positionEmbedding: root.take('embeddings.position_embedding.weight', [numTokens, hiddenSize]),
      layers,
      postNorm: LayerNorm.load(root.at('post_layernorm'), hiddenSize, layerNormEps),
      dtype,
      leftOver: root.leftOver(),
    });
  }

  /**
   * @param pixels - `[1, 3, S, S]` in [-1, 1], S the image size of the config. Rows and columns beyond a whole
   *   number of patches are never read.
   * @returns `[1, floor(S / p)^2, D]`.
   */
  async forward(pixels: Tensor, pace?: Pace): Promise<Tensor> {
    return scope(async () => {
      const used = gridSize(this.config) * this.config.patchSize;
      const { dtype } = this;
      const cropped = cast(pixels.slice(2, 0, used).slice(3, 0, used).unsqueeze(2), dtype);
      const weight = this.patchWeight.unsqueeze(2);
      const tokens = patchify(cropped, weight, { bias: this.patchBias, outDtype: dtype });
      const embedded = add(tokens, cast(this.positionEmbedding, dtype));
      return this.postNorm.forward(await runLayers(embedded, this.layers, { pace }));
    });
  }
}

function gridSize(config: SiglipVisionConfig): number {
  return Math.floor(config.imageSize / config.patchSize);
}
