import { FramePackError } from '../errors.ts';
import { concat, zeros } from '../ops/copy.ts';
import { keep, scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ContextGroup, SectionPlan } from './section-plan.ts';

const TIME = 2;

/** What a history starts from. */
export interface HistoryOptions {
  /** Latent of the picture, `[B, C, 1, H, W]`; stays the caller's. */
  readonly start: Tensor<'f32'>;
  /** Any section of the video; all of them see equally far. */
  readonly plan: Pick<SectionPlan, 'growsAt' | 'targetIndices' | 'context'>;
}

/**
 * The latent frames generated so far, as far as anything still needs them: context of the next section and overlap of
 * the next decode. Frames that do not exist yet are zeros, which the network was trained to see.
 *
 * Holds a fixed number of frames on the device, `[B, C, T, H, W]` f32, however long the video gets; earlier latents are
 * gone once their pixels are decoded, except those of the beginning that the schedule shows to every section. A forward
 * history begins with the picture.
 */
export class History implements Disposable {
  /** The first frames of the video, as many as a section sees of them; the picture first. */
  private opening: Tensor<'f32'>;
  private readonly growsAt: SectionPlan['growsAt'];
  private readonly capacity: number;
  private frames: Tensor<'f32'>;
  private total: number;

  constructor(options: HistoryOptions) {
    const { start, plan } = options;
    this.growsAt = plan.growsAt;
    this.capacity = Math.max(reachOf(plan, 'history'), 2 * plan.targetIndices.length + 1);
    const isForward = this.growsAt === 'back';
    const numOpening = Math.max(1, reachOf(plan, 'start'));
    this.total = isForward ? 1 : 0;
    this.opening = keep(scope(() => concat([start, blank(start, numOpening - 1)], TIME)));
    this.frames = keep(
      scope(() =>
        isForward
          ? concat([blank(start, this.capacity - 1), start], TIME)
          : blank(start, this.capacity),
      ),
    );
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
      const added = plan.prependsStart
        ? concat([this.opening.slice(TIME, 0, 1), section], TIME)
        : section;
      const whole =
        this.growsAt === 'front'
          ? concat([added, this.frames], TIME)
          : concat([this.frames, added], TIME);
      // A copy, not a view, so that the frames that fall off are really freed.
      return concat([this.cut(whole, 0, this.capacity)], TIME);
    });
    this.extendOpening(section);
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

  /** Latents of one context group in time order, `[B, C, T, H, W]`, a view, owned by the current scope. */
  context({ source }: ContextGroup): Tensor<'f32'> {
    return source.from === 'start'
      ? this.opening.slice(TIME, source.first, source.first + source.numFrames)
      : this.cut(this.frames, source.nearest, source.numFrames);
  }

  /** Frees the frames. */
  dispose(): void {
    this.opening.dispose();
    this.frames.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Puts the first frames of a forward video where they belong, until as many are there as sections see. */
  private extendOpening(section: Tensor<'f32'>): void {
    const numOpening = this.opening.shape[TIME]!;
    const known = this.total;
    if (this.growsAt === 'front' || known >= numOpening) return;
    const end = Math.min(numOpening, known + section.shape[TIME]!);
    const parts = [
      this.opening.slice(TIME, 0, known),
      section.slice(TIME, 0, end - known),
      this.opening.slice(TIME, end),
    ];
    const extended = scope(() => concat(parts, TIME));
    this.opening.dispose();
    this.opening = keep(extended);
  }

  /** Frames counted from the growing end, in time order; a view. */
  private cut(frames: Tensor<'f32'>, nearest: number, numFrames: number): Tensor<'f32'> {
    const length = frames.shape[TIME]!;
    const begin = this.growsAt === 'front' ? nearest : length - nearest - numFrames;
    return frames.slice(TIME, begin, begin + numFrames);
  }
}

/** Zeros in place of frames that are not there. */
function blank(like: Tensor<'f32'>, numFrames: number): Tensor<'f32'> {
  const [batch, channels, , height, width] = like.shape as [number, number, number, number, number];
  return zeros(like.device, [batch, channels, numFrames, height, width], 'f32');
}

/** How many frames a section sees of a source. */
function reachOf(
  { context }: Pick<SectionPlan, 'context'>,
  from: ContextGroup['source']['from'],
): number {
  return context.reduce((reach, { source }) => {
    if (source.from !== from) return reach;
    const nearest = source.from === 'start' ? source.first : source.nearest;
    return Math.max(reach, nearest + source.numFrames);
  }, 0);
}
