import type { Pace } from '../../nn/block-chain.ts';
import { CausalConv3d } from '../../nn/causal-conv3d.ts';
import { GroupNorm } from '../../nn/norm.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { VAE_DECODER_NAMES } from '../../weights/network-names.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { NORM_EPS, type VaeConfig } from './config.ts';
import { MidBlock, type VaeTap } from './mid-block.ts';
import { ResnetBlock } from './resnet-block.ts';
import { runSteps, tapped, type VaeStep } from './steps.ts';
import { type UpsampleFactor, Upsampler } from './upsampler.ts';

type UpBlock = readonly (ResnetBlock | Upsampler)[];

// Coarsest first: every block but the last doubles space, all of those but the first double time.
const UP_FACTORS: readonly (UpsampleFactor | null)[] = [[1, 2, 2], [2, 2, 2], [2, 2, 2], null];

/** How the decoder computes. */
export interface VaeDecoderOptions {
  /** Of the activations. */
  readonly dtype: FloatDType;
  readonly upsampling?: 'polyphase' | 'plain';
}

/** Latents to pixels of one tile; see `VaeTiling` for whole clips. */
export class VaeDecoder {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly postQuantConv: CausalConv3d;
  private readonly convIn: CausalConv3d;
  private readonly midBlock: MidBlock;
  private readonly upBlocks: readonly UpBlock[];
  private readonly normOut: GroupNorm;
  private readonly convOut: CausalConv3d;

  private constructor(weights: WeightScope, config: VaeConfig, options: VaeDecoderOptions) {
    const { blockChannels, channels, latentChannels, normGroups } = config;
    const root = weights.network(VAE_DECODER_NAMES, options.dtype);
    const decoder = root.at('decoder');
    this.postQuantConv = CausalConv3d.load(root.at('post_quant_conv'), {
      inChannels: latentChannels,
      outChannels: latentChannels,
      kernel: 1,
    });
    this.convIn = CausalConv3d.load(decoder.at('conv_in.conv'), {
      inChannels: latentChannels,
      outChannels: blockChannels[3],
      kernel: 3,
    });
    this.midBlock = MidBlock.load(decoder.at('mid_block'), config);
    this.upBlocks = UP_FACTORS.map((factor, index) =>
      loadUpBlock(decoder.at(`up_blocks.${index}`), config, { factor, index, ...options }),
    );
    this.normOut = GroupNorm.load(decoder.at('conv_norm_out'), blockChannels[0], {
      groups: normGroups,
      eps: NORM_EPS,
    });
    this.convOut = CausalConv3d.load(decoder.at('conv_out.conv'), {
      inChannels: blockChannels[0],
      outChannels: channels,
      kernel: 3,
    });
    this.leftOver = root.leftOver();
  }

  /** Takes `decoder.*` and `post_quant_conv`. */
  static load(weights: WeightScope, config: VaeConfig, options: VaeDecoderOptions): VaeDecoder {
    return new VaeDecoder(weights, config, options);
  }

  /** `[1, t, h, w, C]` unscaled latents -> `[1, 4 t - 3, 8 h, 8 w, 3]`, nominally in [-1, 1], not clamped. */
  async forward(latents: Tensor, options: { tap?: VaeTap; pace?: Pace } = {}): Promise<Tensor> {
    const { tap, pace } = options;
    const steps: VaeStep[] = [
      (x) => this.convIn.forward(this.postQuantConv.forward(x)),
      tapped('conv_in', tap),
      (x) => this.midBlock.forward(x, tap),
      tapped('mid_block', tap),
      ...this.upBlocks.flatMap((block, index) => [
        ...block.map((layer) => (x: Tensor) => layer.forward(x)),
        tapped(`up_blocks.${index}`, tap),
      ]),
      (x) => this.convOut.forward(this.normOut.forward(x, { silu: true })),
    ];
    return runSteps(latents, steps, pace);
  }
}

function loadUpBlock(
  weights: WeightScope,
  config: VaeConfig,
  place: Pick<VaeDecoderOptions, 'upsampling'> & { factor: UpsampleFactor | null; index: number },
): UpBlock {
  const reversed = config.blockChannels.toReversed();
  const outChannels = reversed[place.index]!;
  const inChannels = reversed[Math.max(place.index - 1, 0)]!;
  const resnets = Array.from({ length: config.layersPerBlock + 1 }, (_, layer) =>
    ResnetBlock.load(weights.at(`resnets.${layer}`), {
      inChannels: layer === 0 ? inChannels : outChannels,
      outChannels,
      normGroups: config.normGroups,
    }),
  );
  const { factor, upsampling = 'polyphase' } = place;
  if (factor === null) return resnets;
  const options = { factor, method: upsampling };
  return [...resnets, Upsampler.load(weights.at('upsamplers.0'), outChannels, options)];
}
