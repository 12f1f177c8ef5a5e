import {
  type ArrangedPart,
  type Arrangement,
  arrangeSchedule,
  type SamplingOrder,
} from './arrangement.ts';
import { countSections, decodedFrames, overlapFrames, sectionPaddings } from './frame-count.ts';
import type { FrameGroup, PackingSchedule, PatchKernel } from './packing.ts';

/** What to plan. */
export interface SectionRequest {
  /** See `parseSchedule`; its `gN` is the number of latent frames that one section adds. */
  readonly schedule: PackingSchedule;
  readonly seconds: number;
  readonly fps: number;
}

/**
 * Where context frames come from. `start`: from the beginning of the video, `first` 0 being the latent of the picture;
 * `history`: counted from the end at which the video grows, `nearest` 0 being the frame that touches the section.
 */
export type LatentSource =
  | { readonly from: 'start'; readonly first: number; readonly numFrames: number }
  | { readonly from: 'history'; readonly nearest: number; readonly numFrames: number };

/** Context of one kernel: latent frames in time order and their positions on the time axis. */
export interface ContextGroup {
  readonly kernel: PatchKernel;
  readonly frameIndices: readonly number[];
  readonly source: LatentSource;
}

/** How a section's latents become frames of the video. */
export interface DecodePlan {
  /** Latent frames to decode, from the growing end of the history. */
  readonly numLatents: number;
  /** Pixel frames that they decode to. */
  readonly numFrames: number;
  /** Pixel frames to cross-fade with the video so far; 0 for the first section. */
  readonly numOverlapFrames: number;
}

/** Everything that differs between sections and schedules, as data. */
export interface SectionPlan {
  /** In sampling order, which is the order of the noise too. */
  readonly sectionIndex: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Latent frames that the schedule's `x` stands for here; 0 without one. */
  readonly gapFrames: number;
  /** Which end of the video the section is joined to. */
  readonly growsAt: 'front' | 'back';
  /** Whether the picture's latent goes in front of the sampled frames before they join the history. */
  readonly prependsStart: boolean;
  /** Positions of the frames to generate. */
  readonly targetIndices: readonly number[];
  /**
   * In the order of tokens: the coarsest kernel first, frames of equal kernels in time order. Frames that are not there
   * yet are fed too, as zeros, so that every section has as many tokens.
   */
  readonly context: readonly ContextGroup[];
  readonly decode: DecodePlan;
}

/**
 * Plans a video: how many sections, in which order, what each sees and how it is decoded. Context is as long in the last
 * section of an hour as in the first of a second.
 *
 * A gap `x` in an inverted schedule has the lengths that the released model was trained with, at most three windows. In a
 * vanilla one it is as long as the stretch of the video that it skips.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when a number is not positive; for the schedule see `arrangeSchedule`.
 * @see FramePack, arXiv 2504.12626, section 3.3; upstream demo_gradio.py and demo_gradio_f1.py at 97fe5db
 */
export function planSections(request: SectionRequest): readonly SectionPlan[] {
  const { schedule, seconds, fps } = request;
  const arrangement = arrangeSchedule(schedule);
  const { latentWindowSize } = arrangement;
  const isInverted = arrangement.order === 'inverted';
  const numSections = countSections(seconds, fps, latentWindowSize);
  return gapsOf(arrangement, numSections).map((gapFrames, sectionIndex) => {
    const isFirst = sectionIndex === 0;
    const isLast = sectionIndex === numSections - 1;
    // The picture's own frame is in the decoded stretch once: at the end of an inverted video, at the start of another.
    const hasStart = isInverted ? isLast : isFirst;
    const numLatents = (isFirst ? 1 : 2) * latentWindowSize + (hasStart ? 1 : 0);
    return {
      sectionIndex,
      isFirst,
      isLast,
      gapFrames,
      growsAt: isInverted ? 'front' : 'back',
      prependsStart: isInverted && isLast,
      ...layOut(arrangement, gapFrames),
      decode: {
        numLatents,
        numFrames: decodedFrames(numLatents),
        numOverlapFrames: isFirst ? 0 : overlapFrames(latentWindowSize),
      },
    };
  });
}

/** Latent frames of the gap in each section. */
function gapsOf({ order, latentWindowSize, parts }: Arrangement, numSections: number): number[] {
  if (!parts.some(({ role }) => role === 'gap')) return Array<number>(numSections).fill(0);
  if (order === 'inverted') {
    return sectionPaddings(numSections).map((padding) => padding * latentWindowSize);
  }
  const seen = parts.reduce(
    (sum, part) => ('groups' in part ? sum + countFrames(part.groups) : sum),
    0,
  );
  // The video so far is the picture and the sections before this one.
  return Array.from({ length: numSections }, (_, index) =>
    Math.max(0, 1 + index * latentWindowSize - seen),
  );
}

/** Frames of groups together. */
export function countFrames(groups: readonly FrameGroup[]): number {
  return groups.reduce((sum, { numFrames }) => sum + numFrames, 0);
}

/** Puts the parts of a schedule on the time axis, from position 0, and says what fills each. */
function layOut(
  { order, parts }: Arrangement,
  gapFrames: number,
): Pick<SectionPlan, 'targetIndices' | 'context'> {
  const context: ContextGroup[] = [];
  let targetIndices: readonly number[] = [];
  let position = 0;
  for (const part of parts) {
    if ('groups' in part) context.push(...placed(part, position, order));
    if (part.role === 'section') targetIndices = range(position, part.numFrames);
    position += extentOf(part, gapFrames);
  }
  const volume = ({ kernel }: ContextGroup): number => kernel.frames * kernel.height * kernel.width;
  return { targetIndices, context: context.toSorted((a, b) => volume(b) - volume(a)) };
}

/** Positions that a part takes. */
function extentOf(part: ArrangedPart, gapFrames: number): number {
  if ('groups' in part) return countFrames(part.groups);
  return part.role === 'section' ? part.numFrames : gapFrames;
}

/** The groups of one part, which begins at a position. */
function placed(
  { role, groups }: Extract<ArrangedPart, { groups: unknown }>,
  position: number,
  order: SamplingOrder,
): ContextGroup[] {
  const total = countFrames(groups);
  let first = 0;
  return groups.map(({ numFrames, kernel }) => {
    const nearest = order === 'inverted' ? first : total - first - numFrames;
    const source: LatentSource =
      role === 'opening'
        ? { from: 'start', first, numFrames }
        : { from: 'history', nearest, numFrames };
    const frameIndices = range(position + first, numFrames);
    first += numFrames;
    return { kernel, frameIndices, source };
  });
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => start + i);
}
