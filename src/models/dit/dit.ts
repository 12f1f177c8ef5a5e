/**
 * The packed HunyuanVideo diffusion transformer: predicts the velocity of one section of latent frames from the
 * noisy section and its packed context.
 *
 * FramePack, arXiv 2504.12626; HunyuanVideo, arXiv 2412.03603 section 4.3. Agrees numerically with upstream
 * diffusers_helper/models/hunyuan_video_packed.py at 97fe5db. The stages are separate so that a step cache can
 * decide between them: {@link Dit.embed}, {@link Dit.blocks}, {@link Dit.head}.
 */
import { type BlockStep, type Pace, runChain } from '../../nn/block-chain.ts';
import { type BlockLoader, BlockStream } from '../../nn/block-stream.ts';
import { Linear } from '../../nn/linear.ts';
import { Mlp } from '../../nn/mlp.ts';
import { cast, concat } from '../../ops/copy.ts';
import { silu } from '../../ops/elementwise.ts';
import { unpatchify } from '../../ops/patchify.ts';
import type { RopeTable } from '../../ops/rope.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { DIT_NAMES } from '../../weights/network-names.ts';
import type { NetworkScope, WeightScope } from '../../weights/weight-scope.ts';
import { DoubleBlock, SingleBlock, type Streams } from './blocks.ts';
import { ConditioningEmbedder } from './conditioning.ts';
import type { DitConfig } from './config.ts';
import { type BlockModulation, Modulation, modulate } from './modulation.ts';
import { PackedContextEmbedder, type PackedFrames } from './packed-context.ts';
import { TokenRefiner } from './token-refiner.ts';

/** Everything one forward pass depends on. Batch is 1. */
export interface DitInputs {
  readonly frames: PackedFrames;
  /** Noise level x 1000, rounded as the model dtype asks. */
  readonly timestep: number;
  /** Distilled guidance x 1000, rounded likewise. */
  readonly guidance: number;
  /** `[1, n, C_text]`, the valid tokens only. */
  readonly text: Tensor;
  /** `[1, C_pooled]`. */
  readonly pooled: Tensor;
  /** `[1, S, C_image]`, SigLIP states. */
  readonly image: Tensor;
}

/** Result of {@link Dit.embed}: the streams before the first block and what conditions all blocks. */
export interface DitEmbedding extends Streams {
  /** One entry for each image token. */
  readonly rope: RopeTable;
  /** `[1, D]`, SiLU applied to {@link DitEmbedding.conditioning}. */
  readonly activated: Tensor;
  /** `[1, D]`, before its activation. */
  readonly conditioning: Tensor;
  readonly numTargetTokens: number;
  /** Patch grid of the target: T, H / p, W / p. */
  readonly grid: readonly [number, number, number];
}

/** Receives named intermediate values; they are freed when the stage that made them returns. */
export type DitTap = (name: string, value: Tensor) => void;

interface DitParts {
  readonly config: DitConfig;
  readonly context: PackedContextEmbedder;
  readonly conditioning: ConditioningEmbedder;
  readonly refiner: TokenRefiner;
  readonly imageProjection: Mlp;
  /** Double blocks, then single blocks. */
  readonly blocks: BlockStream<DoubleBlock | SingleBlock>;
  /** Of every block. */
  readonly modulations: BlockStream<readonly Modulation[]>;
  readonly normOut: Modulation;
  readonly projectionOut: Linear;
  readonly dtype: FloatDType;
  readonly leftOver: readonly string[];
}

/** See the file header. Valid inside the memory scope in which it was loaded. */
export class Dit {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  readonly config: DitConfig;
  private readonly parts: DitParts;

  private constructor(parts: DitParts) {
    this.config = parts.config;
    this.leftOver = parts.leftOver;
    this.parts = parts;
  }

  /**
   * Takes every tensor of the checkpoint; activations are kept in `dtype`.
   *
   * @param numResident - how many parts to take now, of first the blocks and then their modulations; all of them unless
   *   given. Of the others two at a time are taken while {@link Dit.blocks} passes through them, and tensors in blocks
   *   that nobody knows are not looked for.
   */
  static load(
    weights: WeightScope,
    config: DitConfig,
    dtype: FloatDType,
    numResident?: number,
  ): Dit {
    const { width, imageWidth, pooledWidth } = config;
    const root = weights.network(DIT_NAMES, dtype);
    const loaders = blockLoaders(root, config);
    const isStreamed = numResident !== undefined;
    if (isStreamed) for (const { path } of loaders) root.leave(path);
    return new Dit({
      config,
      context: PackedContextEmbedder.load(root, config),
      conditioning: ConditioningEmbedder.load(root.at('time_text_embed'), config, {
        textWidth: pooledWidth,
        hasGuidance: config.hasGuidance,
      }),
      refiner: TokenRefiner.load(root.at('context_embedder'), config),
      imageProjection: Mlp.load(root.at('image_projection'), {
        names: ['up', 'down'],
        inFeatures: imageWidth,
        hiddenFeatures: width * IMAGE_PROJECTION_RATIO,
        outFeatures: width,
        activation: 'silu',
      }),
      blocks: BlockStream.load(
        loaders.map(({ block }) => block),
        isStreamed ? Math.min(numResident, loaders.length) : undefined,
      ),
      modulations: BlockStream.load(
        loaders.map(({ modulations }) => modulations),
        isStreamed ? Math.max(numResident - loaders.length, 0) : undefined,
      ),
      normOut: Modulation.load(root.at('norm_out'), width, 2),
      projectionOut: Linear.load(root.at('proj_out'), {
        inFeatures: width,
        outFeatures: config.outChannels * config.patchSize ** 2,
      }),
      dtype,
      leftOver: root.leftOver(),
    });
  }

  /** Embeds frames, text, picture and conditioning; the result belongs to the current memory scope. */
  embed(inputs: DitInputs, tap?: DitTap): DitEmbedding {
    return scope(() => {
      const { context, conditioning, refiner, imageProjection, dtype } = this.parts;
      const { timestep, guidance } = inputs;
      const packed = context.forward(inputs.frames, dtype);
      const vector = conditioning.forward(cast(inputs.pooled, dtype), timestep, guidance);
      const picture = imageProjection.forward(cast(inputs.image, dtype));
      const refined = refiner.forward(cast(inputs.text, dtype), timestep);
      const [, , frames, height, width] = inputs.frames.target.latents.shape as FiveExtents;
      const { patchSize } = this.config;
      if (tap) {
        tap('x_embedder', packed.tokens.slice(1, -packed.numTargetTokens));
        tap('temb', vector);
        tap('image_projection', picture);
        tap('context_embedder', refined);
        tap('rope_cos', packed.rope.cos);
        tap('rope_sin', packed.rope.sin);
      }
      return {
        image: packed.tokens,
        text: concat([picture, refined], 1),
        rope: packed.rope,
        conditioning: vector,
        activated: silu(vector),
        numTargetTokens: packed.numTargetTokens,
        grid: [frames, height / patchSize, width / patchSize] as const,
      };
    });
  }

  /**
   * The first modulated input of the blocks, image tokens only: what a step cache measures change on.
   *
   * @returns `[1, L_image, D]`.
   */
  modulatedInput(embedding: DitEmbedding): Tensor {
    return scope(() => {
      const [shift, scale] = this.modulationOfFirst(embedding)[0] as [Tensor, Tensor];
      return modulate(embedding.image, shift, scale);
    });
  }

  /** The first double block alone: what a step cache may decide by. */
  firstBlock(embedding: DitEmbedding): Streams {
    return scope(() => {
      const { image, text, rope } = embedding;
      const modulation = this.modulationOfFirst(embedding);
      using walk = this.parts.blocks.walk();
      return (walk.only(0) as DoubleBlock).forward({ image, text }, { modulation, rope });
    });
  }

  /**
   * All double and single blocks.
   *
   * @param options.after - streams behind the first block, which is then not run again.
   * @returns `[1, L_image, D]`; the text stream ends here.
   */
  async blocks(
    embedding: DitEmbedding,
    options: { tap?: DitTap; pace?: Pace; after?: Streams } = {},
  ): Promise<Tensor> {
    return scope(async () => {
      const { tap, pace, after } = options;
      const numImageTokens = embedding.image.shape[1]!;
      const numDone = after === undefined ? 0 : 1;
      const { numDoubleBlocks, numSingleBlocks } = this.config;
      const modulations = await this.modulationsOf(embedding, pace);
      const { rope } = embedding;
      using walk = this.parts.blocks.walk();
      const double: BlockStep<{ image: Tensor; text: Tensor }> = (state, step) => {
        const index = numDone + step;
        const conditions = { modulation: modulations[index]!, rope };
        const next = (walk.at(index) as DoubleBlock).forward(state, conditions);
        if (tap) tapStreams(tap, `double.${index}`, next);
        return { image: next.image, text: next.text };
      };
      const single: BlockStep<{ joined: Tensor }> = (state, index) => {
        const place = numDoubleBlocks + index;
        const conditions = { modulation: modulations[place]!, rope };
        const next = (walk.at(place) as SingleBlock).forward(state.joined, conditions);
        // Views only when somebody looks: they would keep the buffer alive to the end of the chain.
        if (tap) tapStreams(tap, `single.${index}`, splitStreams(next, numImageTokens));
        return { joined: next };
      };
      const { image, text } = after ?? embedding;
      const streams = await runChain(
        { image, text },
        Array<typeof double>(numDoubleBlocks - numDone).fill(double),
        pace,
      );
      const joined = { joined: concat([streams.image, streams.text], 1) };
      const last = await runChain(joined, Array<typeof single>(numSingleBlocks).fill(single), pace);
      return last.joined.slice(1, 0, numImageTokens);
    });
  }

  private modulationOfFirst({ activated }: DitEmbedding): BlockModulation {
    using walk = this.parts.modulations.walk();
    return walk.only(0).map((modulation) => modulation.forward(activated));
  }

  /** Of all blocks, before the first of them runs: their weights are not on the device beside those of a block. */
  private async modulationsOf(
    { activated }: DitEmbedding,
    pace: Pace | undefined,
  ): Promise<readonly BlockModulation[]> {
    const { modulations } = this.parts;
    using walk = modulations.walk();
    const found: BlockModulation[] = [];
    for (let index = 0; index < modulations.length; index++) {
      if (pace) await pace();
      found.push(walk.at(index).map((modulation) => modulation.forward(activated)));
    }
    return found;
  }

  /**
   * Final norm and projection of the target's tokens, the projection in f32.
   *
   * @param image - `[1, L_image, D]`, the result of {@link Dit.blocks} or a cached stand-in.
   * @returns the velocity `[1, C, T, H, W]` f32.
   */
  head(image: Tensor, embedding: DitEmbedding, tap?: DitTap): Tensor<'f32'> {
    return scope(() => {
      const target = image.slice(1, -embedding.numTargetTokens);
      // The opposite order to the blocks: scale first.
      const chunks = this.parts.normOut.forward(embedding.activated);
      const [scale, shift] = chunks as [Tensor, Tensor];
      const normed = modulate(target, shift, scale);
      tap?.('norm_out', normed);
      const patches = this.parts.projectionOut.forward(cast(normed, 'f32'));
      const { patchSize, outChannels } = this.config;
      return unpatchify(patches, {
        grid: embedding.grid,
        patch: [1, patchSize, patchSize],
        channels: outChannels,
      }) as Tensor<'f32'>;
    });
  }

  /** {@link Dit.embed}, {@link Dit.blocks} and {@link Dit.head} in one. */
  async forward(
    inputs: DitInputs,
    options: { tap?: DitTap; pace?: Pace } = {},
  ): Promise<Tensor<'f32'>> {
    return scope(async () => {
      const embedding = this.embed(inputs, options.tap);
      const image = await this.blocks(embedding, options);
      return this.head(image, embedding, options.tap);
    });
  }
}

const IMAGE_PROJECTION_RATIO = 3;

interface LoadersOfBlock {
  /** Where the tensors of the block lie. */
  readonly path: string;
  readonly block: BlockLoader<DoubleBlock | SingleBlock>;
  readonly modulations: BlockLoader<readonly Modulation[]>;
}

/** Double blocks, then single blocks. */
function blockLoaders(root: NetworkScope, config: DitConfig): LoadersOfBlock[] {
  const loadersOf = (
    kind: typeof DoubleBlock | typeof SingleBlock,
    name: string,
    count: number,
  ): LoadersOfBlock[] =>
    Array.from({ length: count }, (_, index) => {
      const path = `${name}.${index}`;
      return {
        path,
        block: () => kind.load(root.at(path), config),
        modulations: () => kind.modulations(root.at(path), config),
      };
    });
  return [
    ...loadersOf(DoubleBlock, 'transformer_blocks', config.numDoubleBlocks),
    ...loadersOf(SingleBlock, 'single_transformer_blocks', config.numSingleBlocks),
  ];
}

type FiveExtents = [number, number, number, number, number];

function splitStreams(joined: Tensor, numImageTokens: number): Streams {
  return { image: joined.slice(1, 0, numImageTokens), text: joined.slice(1, numImageTokens) };
}

function tapStreams(tap: DitTap, name: string, streams: Streams): void {
  tap(`${name}.img`, streams.image);
  tap(`${name}.txt`, streams.text);
}
