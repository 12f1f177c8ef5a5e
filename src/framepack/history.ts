import { FramePackError } from '../errors.ts';
import { concat, zeros } from '../ops/copy.ts';
import { keep, scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { CONTEXT_FRAMES, type ContextGroup, type SectionPlan } from './section-plan.ts';

const TIME = 2;

/** What a history starts from. */
export interface HistoryOptions {
  /** Latent of the picture, `[B, C, 1, H, W]`; stays the caller's. */
  readonly start: Tensor<'f32'>;
  readonly growsAt: SectionPlan['growsAt'];
  readonly latentWindowSize: number;
}

/**
 * The latent frames generated so far, as far as anything still needs them: context of the next section and overlap of
 * the next decode. Frames that do not exist yet are zeros, which the network was trained to see.
 *
 * Holds a fixed number of frames on the device, `[B, C, T, H, W]` f32, however long the video gets; earlier latents are
 * gone once their pixels are decoded. A forward history begins with the picture.
 */
export class History implements Disposable {
  private readonly start: Tensor<'f32'>;
  private readonly growsAt: SectionPlan['growsAt'];
  private readonly capacity: number;
  private frames: Tensor<'f32'>;
  private total: number;

  constructor(options: HistoryOptions) {
    const { start, growsAt, latentWindowSize } = options;
    this.growsAt = growsAt;
    this.capacity = Math.max(CONTEXT_FRAMES, 2 * latentWindowSize + 1);
    this.start = keep(start.retain());
    const [batch, channels, , height, width] = start.shape as [
      number,
      number,
      number,
      number,
      number,
    ];
    const blank = (numFrames: number): Tensor<'f32'> =>
      zeros(start.device, [batch, channels, numFrames, height, width], 'f32');
    const isForward = growsAt === 'back';
    this.total = isForward ? 1 : 0;
    this.frames = scope(() =>
      isForward ? concat([blank(this.capacity - 1), start], TIME) : blank(this.capacity),
    );
    keep(this.frames);
  }

  /** Latent frames of the video so far, kept or not. */
  get numFrames(): number {
    return this.total;
  }

  /**
   * Joins a sampled section `[B, C, T, H, W]` to the growing end, behind the picture's latent where the plan says so.
   * The section stays the caller's.
   */
  add(section: Tensor<'f32'>, plan: Pick<SectionPlan, 'prependsStart'>): void {
    const joined = scope(() => {
      const added = plan.prependsStart ? concat([this.start, section], TIME) : section;
      const whole =
        this.growsAt === 'front'
          ? concat([added, this.frames], TIME)
          : concat([this.frames, added], TIME);
      // A copy, not a view, so that the frames that fall off are really freed.
      return concat([this.cut(whole, 0, this.capacity)], TIME);
    });
    this.frames.dispose();
    this.frames = keep(joined);
    this.total += section.shape[TIME]! + (plan.prependsStart ? 1 : 0);
  }

  /**
   * The newest frames in time order, to decode.
   *
   * @returns `[B, C, numLatents, H, W]`, a view, owned by the current scope.
   * @throws {@link FramePackError} `ERR_ARGUMENT` when that many are not there.
   */
  newest(numLatents: number): Tensor<'f32'> {
    const available = Math.min(this.total, this.capacity);
    if (numLatents < 1 || numLatents > available) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `History.newest: numLatents expected 1 to ${available}, got ${numLatents}`,
      );
    }
    return this.cut(this.frames, 0, numLatents);
  }

  /** Latents of one context group in time order, `[B, C, T, H, W]`, owned by the current scope. */
  context(group: ContextGroup): Tensor<'f32'> {
    const parts = group.sources.map((source) =>
      source.from === 'start'
        ? this.start.retain()
        : this.cut(this.frames, source.nearest, source.numFrames),
    );
    return concat(parts, TIME);
  }

  /** Frees the frames. */
  dispose(): void {
    this.start.dispose();
    this.frames.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frames counted from the growing end, in time order; a view. */
  private cut(frames: Tensor<'f32'>, nearest: number, numFrames: number): Tensor<'f32'> {
    const length = frames.shape[TIME]!;
    const begin = this.growsAt === 'front' ? nearest : length - nearest - numFrames;
    return frames.slice(TIME, begin, begin + numFrames);
  }
}
