import { concat } from '../../ops/copy.ts';
import { patchify } from '../../ops/patchify.ts';
import { type RopeTable, ropePool, ropeTable } from '../../ops/rope.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { DitConfig } from './config.ts';

/** Some latent frames and the positions on the time axis that they stand for. */
export interface FrameGroup {
  /** `[1, C, T, H, W]`. */
  readonly latents: Tensor;
  /** T rotary positions, one for each latent frame. */
  readonly frameIndices: readonly number[];
}

/**
 * Latent frames by resolution: the section to denoise, and context at 1x, 2x and 4x compression. A group may be
 * missing; zero latents are not the same as a missing group.
 */
export interface PackedFrames {
  readonly target: FrameGroup;
  readonly clean?: FrameGroup;
  readonly clean2x?: FrameGroup;
  readonly clean4x?: FrameGroup;
}

/** Tokens in the order 4x, 2x, clean, target, with one rotary entry a token. */
export interface PackedTokens {
  /** `[1, L, D]`. */
  readonly tokens: Tensor;
  readonly rope: RopeTable;
  /** The target's tokens are the last so many. */
  readonly numTargetTokens: number;
}

interface Level {
  readonly name: keyof PackedFrames;
  readonly embedder: string;
  readonly compression: number;
}

// In token order. FramePack section 3.1: kernels of k x 2k x 2k for compression k.
const LEVELS: readonly Level[] = [
  { name: 'clean4x', embedder: 'clean_x_embedder.proj_4x', compression: 4 },
  { name: 'clean2x', embedder: 'clean_x_embedder.proj_2x', compression: 2 },
  { name: 'clean', embedder: 'clean_x_embedder.proj', compression: 1 },
  { name: 'target', embedder: 'x_embedder.proj', compression: 1 },
];

/**
 * Patch embedding of the packed context: every compression level has its own kernel, and the rotary phases of a
 * coarse token are the average of those it covers.
 *
 * FramePack, arXiv 2504.12626 section 3.1; upstream `process_input_hidden_states`
 * (diffusers_helper/models/hunyuan_video_packed.py at 97fe5db).
 */
export class PackedContextEmbedder {
  private readonly embedders: ReadonlyMap<keyof PackedFrames, { weight: Tensor; bias: Tensor }>;
  private readonly config: DitConfig;

  private constructor(
    embedders: ReadonlyMap<keyof PackedFrames, { weight: Tensor; bias: Tensor }>,
    config: DitConfig,
  ) {
    this.embedders = embedders;
    this.config = config;
  }

  /** Takes `x_embedder.proj` and `clean_x_embedder.{proj,proj_2x,proj_4x}`. */
  static load(weights: WeightScope, config: DitConfig): PackedContextEmbedder {
    const { width, inChannels, patchSize } = config;
    const load = (level: Level): [keyof PackedFrames, { weight: Tensor; bias: Tensor }] => {
      const { compression: k } = level;
      const shape = [width, inChannels, k, k * patchSize, k * patchSize];
      const embedder = weights.at(level.embedder);
      return [
        level.name,
        { weight: embedder.take('weight', shape), bias: embedder.take('bias', [width]) },
      ];
    };
    return new PackedContextEmbedder(new Map(LEVELS.map(load)), config);
  }

  /** Embeds every group that is there; results belong to the current memory scope. */
  forward(frames: PackedFrames, dtype: FloatDType): PackedTokens {
    const present = LEVELS.flatMap((level) => {
      const group = frames[level.name];
      return group === undefined ? [] : [{ level, group }];
    });
    const parts = present.map(({ level, group }) => {
      const { weight, bias } = this.embedders.get(level.name)!;
      return {
        tokens: patchify(group.latents, weight, { bias, outDtype: dtype }),
        rope: this.phases(group, level.compression),
      };
    });
    return {
      tokens: concat(
        parts.map((part) => part.tokens),
        1,
      ),
      rope: {
        cos: concat(
          parts.map((part) => part.rope.cos),
          0,
        ),
        sin: concat(
          parts.map((part) => part.rope.sin),
          0,
        ),
      },
      numTargetTokens: parts.at(-1)!.tokens.shape[1]!,
    };
  }

  /** Phases of a group: a table at the finest grid, average-pooled to its own. */
  private phases(group: FrameGroup, compression: number): RopeTable {
    const { patchSize, ropeAxisWidths, ropeTheta } = this.config;
    const height = group.latents.shape[3]! / patchSize;
    const width = group.latents.shape[4]! / patchSize;
    const fine = ropeTable(group.latents.device, {
      framePositions: group.frameIndices,
      height,
      width,
      axisWidths: ropeAxisWidths,
      theta: ropeTheta,
    });
    if (compression === 1) return fine;
    return ropePool(fine, {
      grid: [group.frameIndices.length, height, width],
      pool: [compression, compression, compression],
    });
  }
}
