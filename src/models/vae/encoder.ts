import type { Pace } from '../../nn/block-chain.ts';
import { CausalConv3d } from '../../nn/causal-conv3d.ts';
import { GroupNorm } from '../../nn/norm.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { VAE_ENCODER_NAMES } from '../../weights/network-names.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { NORM_EPS, type VaeConfig } from './config.ts';
import { MidBlock, type VaeTap } from './mid-block.ts';
import { ResnetBlock } from './resnet-block.ts';
import { runSteps, tapped, type VaeStep } from './steps.ts';

type DownBlock = readonly (ResnetBlock | CausalConv3d)[];

// Every block but the last halves space; time is halved by the blocks between the first and the last.
const DOWN_STRIDES: readonly ([number, number, number] | null)[] = [
  [1, 2, 2],
  [2, 2, 2],
  [2, 2, 2],
  null,
];

/** Pixels to posterior moments of one tile; see `VaeTiling` for whole clips. */
export class VaeEncoder {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly convIn: CausalConv3d;
  private readonly downBlocks: readonly DownBlock[];
  private readonly midBlock: MidBlock;
  private readonly normOut: GroupNorm;
  private readonly convOut: CausalConv3d;
  private readonly quantConv: CausalConv3d;

  private constructor(weights: WeightScope, config: VaeConfig, dtype: FloatDType) {
    const { blockChannels, channels, latentChannels, normGroups } = config;
    const moments = 2 * latentChannels;
    const root = weights.network(VAE_ENCODER_NAMES, dtype);
    const encoder = root.at('encoder');
    this.convIn = CausalConv3d.load(encoder.at('conv_in.conv'), {
      inChannels: channels,
      outChannels: blockChannels[0],
      kernel: 3,
    });
    this.downBlocks = DOWN_STRIDES.map((stride, index) =>
      loadDownBlock(encoder.at(`down_blocks.${index}`), config, { stride, index }),
    );
    this.midBlock = MidBlock.load(encoder.at('mid_block'), config);
    this.normOut = GroupNorm.load(encoder.at('conv_norm_out'), blockChannels[3], {
      groups: normGroups,
      eps: NORM_EPS,
    });
    this.convOut = CausalConv3d.load(encoder.at('conv_out.conv'), {
      inChannels: blockChannels[3],
      outChannels: moments,
      kernel: 3,
    });
    this.quantConv = CausalConv3d.load(root.at('quant_conv'), {
      inChannels: moments,
      outChannels: moments,
      kernel: 1,
    });
    this.leftOver = root.leftOver();
  }

  /** Takes `encoder.*` and `quant_conv`, for activations in `dtype`. */
  static load(weights: WeightScope, config: VaeConfig, dtype: FloatDType): VaeEncoder {
    return new VaeEncoder(weights, config, dtype);
  }

  /** `[1, T, H, W, 3]` -> moments `[1, (T - 1) / 4 + 1, H / 8, W / 8, 2 C]`: means, then log variances. */
  async forward(pixels: Tensor, options: { tap?: VaeTap; pace?: Pace } = {}): Promise<Tensor> {
    const { tap, pace } = options;
    const steps: VaeStep[] = [
      (x) => this.convIn.forward(x),
      tapped('conv_in', tap),
      ...this.downBlocks.flatMap((block, index) => [
        ...block.map((layer) => (x: Tensor) => layer.forward(x)),
        tapped(`down_blocks.${index}`, tap),
      ]),
      (x) => this.midBlock.forward(x, tap),
      tapped('mid_block', tap),
      (x) => this.convOut.forward(this.normOut.forward(x, { silu: true })),
      (x) => this.quantConv.forward(x),
    ];
    return runSteps(pixels, steps, pace);
  }
}

function loadDownBlock(
  weights: WeightScope,
  config: VaeConfig,
  place: { stride: [number, number, number] | null; index: number },
): DownBlock {
  const outChannels = config.blockChannels[place.index]!;
  const inChannels = config.blockChannels[Math.max(place.index - 1, 0)]!;
  const resnets = Array.from({ length: config.layersPerBlock }, (_, layer) =>
    ResnetBlock.load(weights.at(`resnets.${layer}`), {
      inChannels: layer === 0 ? inChannels : outChannels,
      outChannels,
      normGroups: config.normGroups,
    }),
  );
  if (place.stride === null) return resnets;
  const shape = { inChannels: outChannels, outChannels, kernel: 3, stride: place.stride };
  return [...resnets, CausalConv3d.load(weights.at('downsamplers.0.conv.conv'), shape)];
}
