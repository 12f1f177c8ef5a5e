/**
 * The causal 3D variational autoencoder of HunyuanVideo: pictures to latents and back.
 *
 * HunyuanVideo, arXiv 2412.03603 section 4.1. Agrees numerically with diffusers 0.33 `AutoencoderKLHunyuanVideo`
 * (autoencoder_kl_hunyuan_video.py). Inside, tensors keep channels last: `[1, T, H, W, C]`.
 */
import type { Pace } from '../../nn/block-chain.ts';
import { cast, contiguous } from '../../ops/copy.ts';
import { affine, clamp, exp } from '../../ops/elementwise.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { VaeConfig } from './config.ts';
import { VaeDecoder, type VaeDecoderOptions } from './decoder.ts';
import { VaeEncoder } from './encoder.ts';
import type { VaeTap } from './mid-block.ts';
import { decodeTiled, encodeTiled, TEMPORAL_TILING, type VaeTiling } from './tiling.ts';

/** How a clip is cut, watched and paced. */
export interface VaeRunOptions {
  readonly tiling?: VaeTiling;
  readonly tap?: VaeTap;
  readonly pace?: Pace;
}

/** Posterior of an encoded clip, `[1, C, T, H / 8, W / 8]` f32, unscaled. */
export interface LatentPosterior {
  /** Means, then log variances: `[1, 2 C, T, H / 8, W / 8]`. */
  readonly moments: Tensor<'f32'>;
  readonly mean: Tensor<'f32'>;
  readonly std: Tensor<'f32'>;
}

const MIN_LOG_VARIANCE = -30;
const MAX_LOG_VARIANCE = 20;

/** Pictures `[1, 3, T, H, W]` in [-1, 1] to latents. Valid inside the memory scope in which it was loaded. */
export class VaeImageEncoder {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly encoder: VaeEncoder;
  private readonly config: VaeConfig;
  private readonly dtype: FloatDType;

  private constructor(encoder: VaeEncoder, config: VaeConfig, dtype: FloatDType) {
    this.encoder = encoder;
    this.leftOver = encoder.leftOver;
    this.config = config;
    this.dtype = dtype;
  }

  /** Takes `encoder.*` and `quant_conv`. */
  static load(weights: WeightScope, config: VaeConfig, dtype: FloatDType): VaeImageEncoder {
    return new VaeImageEncoder(VaeEncoder.load(weights, config, dtype), config, dtype);
  }

  /** The posterior of `[1, 3, T, H, W]` pixels; T is 1 modulo 4, H and W are multiples of 8. */
  async encode(pixels: Tensor, options: VaeRunOptions = {}): Promise<LatentPosterior> {
    const { tiling = TEMPORAL_TILING, ...run } = options;
    return scope(async () => {
      const channelsLast = cast(contiguous(pixels.permute([0, 2, 3, 4, 1])), this.dtype);
      const encoded = await encodeTiled(channelsLast, tiling, (tile) =>
        this.encoder.forward(tile, run),
      );
      const moments = cast(contiguous(encoded.permute([0, 4, 1, 2, 3])), 'f32');
      const [mean, logVariance] = moments.split(1, [
        this.config.latentChannels,
        this.config.latentChannels,
      ]) as [Tensor<'f32'>, Tensor<'f32'>];
      const bounded = clamp(logVariance, MIN_LOG_VARIANCE, MAX_LOG_VARIANCE);
      const std = exp(affine(bounded, 0.5, 0)) as Tensor<'f32'>;
      return { moments, mean, std };
    });
  }

  /** Mode of the posterior times the scaling factor: what the DiT calls latents. `[1, C, T, H / 8, W / 8]` f32. */
  async encodeMode(pixels: Tensor, options: VaeRunOptions = {}): Promise<Tensor<'f32'>> {
    return scope(async () => {
      const { mean } = await this.encode(pixels, options);
      return affine(mean, this.config.scalingFactor, 0) as Tensor<'f32'>;
    });
  }
}

/** Latents to pictures. Valid inside the memory scope in which it was loaded. */
export class VaeVideoDecoder {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly decoder: VaeDecoder;
  private readonly config: VaeConfig;
  private readonly dtype: FloatDType;

  private constructor(decoder: VaeDecoder, config: VaeConfig, dtype: FloatDType) {
    this.decoder = decoder;
    this.leftOver = decoder.leftOver;
    this.config = config;
    this.dtype = dtype;
  }

  /** Takes `decoder.*` and `post_quant_conv`. */
  static load(
    weights: WeightScope,
    config: VaeConfig,
    options: VaeDecoderOptions,
  ): VaeVideoDecoder {
    return new VaeVideoDecoder(VaeDecoder.load(weights, config, options), config, options.dtype);
  }

  /** `[1, C, T, H, W]` latents as the DiT knows them -> `[1, 3, 4 T - 3, 8 H, 8 W]` f32, not clamped. */
  async decode(latents: Tensor, options: VaeRunOptions = {}): Promise<Tensor<'f32'>> {
    return scope(() =>
      this.decodeUnscaled(affine(latents, 1 / this.config.scalingFactor, 0), options),
    );
  }

  /** As {@link decode}, from latents already divided by the scaling factor. */
  async decodeUnscaled(latents: Tensor, options: VaeRunOptions = {}): Promise<Tensor<'f32'>> {
    const { tiling = TEMPORAL_TILING, ...run } = options;
    return scope(async () => {
      const channelsLast = cast(contiguous(latents.permute([0, 2, 3, 4, 1])), this.dtype);
      const pixels = await decodeTiled(channelsLast, tiling, (tile) =>
        this.decoder.forward(tile, run),
      );
      return cast(contiguous(pixels.permute([0, 4, 1, 2, 3])), 'f32');
    });
  }
}
