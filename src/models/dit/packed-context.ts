import { FramePackError } from '../../errors.ts';
import { concat, contiguous } from '../../ops/copy.ts';
import { pad } from '../../ops/indexing.ts';
import { patchify } from '../../ops/patchify.ts';
import { mean } from '../../ops/reduce.ts';
import { type RopeTable, ropePool, ropeTable } from '../../ops/rope.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { Triple } from '../../tensor/native-types.ts';
import { scope } from '../../tensor/scope.ts';
import { sizeOf } from '../../tensor/shape.ts';
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

/** Context of one kernel. */
export interface ContextFrames extends FrameGroup {
  /** Latent frames, rows and columns that become one token; rows and columns are multiples of the patch. */
  readonly kernel: Triple;
}

/** The section to denoise, and its context in the order of tokens. Zero latents are not the same as a missing group. */
export interface PackedFrames {
  readonly target: FrameGroup;
  readonly context: readonly ContextFrames[];
}

/** Tokens of the context, then of the target, with one rotary entry a token. */
export interface PackedTokens {
  /** `[1, L, D]`. */
  readonly tokens: Tensor;
  readonly rope: RopeTable;
  /** The target's tokens are the last so many. */
  readonly numTargetTokens: number;
}

/** Trained projections of context by how often their kernel holds the patch, along each axis. */
const CONTEXT_PROJECTIONS = [
  { compression: 1, name: 'clean_x_embedder.proj' },
  { compression: 2, name: 'clean_x_embedder.proj_2x' },
  { compression: 4, name: 'clean_x_embedder.proj_4x' },
];
const TARGET_PROJECTION = 'x_embedder.proj';

interface Projection {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/**
 * Patch embedding of the packed context. Three cubic kernels have projections of their own. Any other takes that of the
 * patch over averages of the latents, which is the same as stretching its weight over the kernel and dividing it by the
 * number of cells: how the trained ones began. The rotary phases of a coarse token are the average of those it covers.
 *
 * FramePack, arXiv 2504.12626 section 3.1; upstream `process_input_hidden_states`
 * (diffusers_helper/models/hunyuan_video_packed.py at 97fe5db).
 */
export class PackedContextEmbedder {
  private readonly target: Projection;
  private readonly patch: Projection;
  /** By {@link keyOf} of the kernel. */
  private readonly trained: ReadonlyMap<string, Projection>;
  private readonly config: DitConfig;

  private constructor(target: Projection, context: readonly Projection[], config: DitConfig) {
    this.target = target;
    this.patch = context[0]!;
    this.trained = new Map(
      context.map((projection) => [keyOf(projection.weight.shape.slice(2)), projection]),
    );
    this.config = config;
  }

  /** Takes `x_embedder.proj` and `clean_x_embedder.{proj,proj_2x,proj_4x}`. */
  static load(weights: WeightScope, config: DitConfig): PackedContextEmbedder {
    const { width, inChannels, patchSize } = config;
    const load = (name: string, k: number): Projection => {
      const shape = [width, inChannels, k, k * patchSize, k * patchSize];
      const embedder = weights.at(name);
      return { weight: embedder.take('weight', shape), bias: embedder.take('bias', [width]) };
    };
    const context = CONTEXT_PROJECTIONS.map(({ name, compression }) => load(name, compression));
    return new PackedContextEmbedder(load(TARGET_PROJECTION, 1), context, config);
  }

  /**
   * Embeds every group; results belong to the current memory scope.
   *
   * @throws {@link FramePackError} `ERR_UNSUPPORTED` for a kernel that is no multiple of the patch.
   */
  forward({ context, target }: PackedFrames, dtype: FloatDType): PackedTokens {
    const projected = ({ weight, bias }: Projection, latents: Tensor): Tensor =>
      patchify(latents, weight, { bias, outDtype: dtype });
    const parts = context.map((group) => {
      const cells = this.cellsOf(group.kernel);
      const trained = this.trained.get(keyOf(group.kernel));
      const tokens =
        trained === undefined
          ? projected(this.patch, averaged(group.latents, cells, group.kernel))
          : projected(trained, group.latents);
      return { tokens, rope: this.phases(group, cells) };
    });
    const tokens = projected(this.target, target.latents);
    const all = [...parts, { tokens, rope: this.phases(target, [1, 1, 1]) }];
    return {
      tokens: concat(
        all.map((part) => part.tokens),
        1,
      ),
      rope: {
        cos: concat(
          all.map((part) => part.rope.cos),
          0,
        ),
        sin: concat(
          all.map((part) => part.rope.sin),
          0,
        ),
      },
      numTargetTokens: tokens.shape[1]!,
    };
  }

  /** How often a kernel holds the patch, along each axis. */
  private cellsOf([frames, height, width]: Triple): Triple {
    const { patchSize } = this.config;
    if (height % patchSize !== 0 || width % patchSize !== 0) {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `PackedContextEmbedder: kernel expected rows and columns by ${patchSize}, got ${frames}x${height}x${width}`,
      );
    }
    return [frames, height / patchSize, width / patchSize];
  }

  /** Phases of a group: a table at the finest grid, average-pooled to its own. */
  private phases(group: FrameGroup, cells: Triple): RopeTable {
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
    if (cells.every((count) => count === 1)) return fine;
    return ropePool(fine, { grid: [group.frameIndices.length, height, width], pool: cells });
  }
}

function keyOf(kernel: readonly number[]): string {
  return kernel.join('x');
}

/**
 * Latents `[B, C, T, H, W]` padded by repetition to whole kernels, then averaged over so many neighbours along each axis.
 */
function averaged(latents: Tensor, cells: Triple, kernel: Triple): Tensor {
  return scope(() => {
    const missing = latents.shape.map((extent, axis) => {
      const whole = kernel[axis - 2] ?? 1;
      return [0, Math.ceil(extent / whole) * whole - extent] as const;
    });
    const padded = pad(latents, missing, 'replicate');
    return cells.reduce((volume, count, index) => averagedAlong(volume, index + 2, count), padded);
  });
}

/** Means of so many neighbours along an axis. */
function averagedAlong(volume: Tensor, axis: number, count: number): Tensor {
  if (count === 1) return volume;
  const { shape } = volume;
  const extents = shape.with(axis, shape[axis]! / count);
  const rows = sizeOf(extents.slice(0, axis + 1));
  const columns = sizeOf(extents.slice(axis + 1));
  return mean(contiguous(volume).reshape([rows, count, columns]), { axis: 1 }).reshape(extents);
}
