import type { SectionPlan } from '../../framepack/section-plan.ts';
import { softAppend } from '../../framepack/soft-append.ts';
import { concat } from '../../ops/copy.ts';
import { toRgb } from '../../ops/pixels.ts';
import { keep, scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const TIME = 2;

/** Shows finished frames `[1, 3, F, H, W]` before they become bytes; used by the end-to-end comparison. */
export type FrameObserver = (frames: Tensor<'f32'>, growsAt: SectionPlan['growsAt']) => void;

/**
 * Joins decoded sections to one video. Only the frames that the next section will be cross-faded with stay, on the device
 * as floats; all others are final, become bytes and go to the caller at once.
 */
export class VideoAssembly implements Disposable {
  private readonly observe: FrameObserver | undefined;
  private numFinal = 0;
  private numOpen = 0;
  private open: Tensor<'f32'> | null = null;

  constructor(observe?: FrameObserver) {
    this.observe = observe;
  }

  /** Frames that are final; all of them once the last section is in. */
  get numFinished(): number {
    return this.numFinal;
  }

  /** Frames so far, final or not. */
  get numFrames(): number {
    return this.numFinal + this.numOpen;
  }

  /**
   * Joins the decoded section `[1, 3, F, H, W]` at the plan's end of the video; it stays the caller's.
   *
   * @param numOpenFrames - frames at the growing end that the next section overlaps; 0 after the last.
   * @returns the frames that became final, RGB `[H, W, 3]` in time order.
   */
  async add(clip: Tensor<'f32'>, plan: SectionPlan, numOpenFrames: number): Promise<Uint8Array[]> {
    const { growsAt, decode } = plan;
    const atFront = growsAt === 'front';
    return scope(async () => {
      const joined = this.join(clip, atFront, decode.numOverlapFrames);
      const [open, final] = cut(joined, atFront, numOpenFrames);
      this.keepOpen(open);
      this.observe?.(final, growsAt);
      const frames = await readFrames(final);
      this.numFinal += frames.length;
      return frames;
    });
  }

  /**
   * Notes a section that was joined in an earlier run.
   *
   * @param numFrames - what became final with it.
   * @param clip - the section as it was decoded, which is needed when the next one is not noted: the frames that stay open
   *   are its own alone, because it adds more frames than the next one overlaps.
   */
  resume(
    numFrames: number,
    plan: SectionPlan,
    numOpenFrames: number,
    clip: Tensor<'f32'> | null,
  ): void {
    this.numFinal += numFrames;
    this.numOpen = numOpenFrames;
    if (clip !== null)
      scope(() => this.keepOpen(cut(clip, plan.growsAt === 'front', numOpenFrames)[0]));
  }

  /** Frees the frames on the device; the finished ones stay. */
  dispose(): void {
    this.open?.dispose();
    this.open = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A copy, not a view, so that the rest is really freed. */
  private keepOpen(open: Tensor<'f32'>): void {
    this.open?.dispose();
    this.numOpen = open.shape[TIME]!;
    this.open = this.numOpen === 0 ? null : keep(concat([open], TIME));
  }

  private join(clip: Tensor<'f32'>, atFront: boolean, numOverlapFrames: number): Tensor<'f32'> {
    if (this.open === null) return clip.retain();
    const overlap = { numFrames: numOverlapFrames, axis: TIME };
    return atFront ? softAppend(clip, this.open, overlap) : softAppend(this.open, clip, overlap);
  }
}

/** So many frames at the growing end of a clip, and the others; both in time order. */
function cut(
  clip: Tensor<'f32'>,
  atFront: boolean,
  numOpenFrames: number,
): [open: Tensor<'f32'>, final: Tensor<'f32'>] {
  const numFrames = clip.shape[TIME]!;
  const at = atFront ? numOpenFrames : numFrames - numOpenFrames;
  const [head, tail] = clip.split(TIME, [at, numFrames - at]) as [Tensor<'f32'>, Tensor<'f32'>];
  return atFront ? [head, tail] : [tail, head];
}

/** The frames of a clip `[1, 3, F, H, W]` as bytes, one after the other: beside the clip there is one frame of floats. */
async function readFrames(clip: Tensor<'f32'>): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  using channels = clip.squeeze(0);
  for (let frame = 0; frame < clip.shape[TIME]!; frame++) {
    using picture = channels.slice(1, frame, frame + 1);
    using bytes = toRgb(picture);
    // A rehearsal on `meta` has no values to show.
    if (clip.device.kind !== 'meta') frames.push(await bytes.read());
  }
  return frames;
}
