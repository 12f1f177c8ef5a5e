import { FramePackError } from '../errors.ts';
import { countSections, decodedFrames, overlapFrames, sectionPaddings } from './frame-count.ts';
import {
  type FrameGroup,
  type PackingSchedule,
  parseSchedule,
  type SchedulePart,
} from './packing.ts';

/**
 * Which end of the video is generated first. `i2v`: sections from the end to the picture (inverted, each sees the
 * picture and what follows it); `f1`: from the picture onwards. The two need different weights.
 */
export type GenerationMode = 'i2v' | 'f1';

/** The released packing of each mode, in the paper's notation. */
const SCHEDULES: Readonly<Record<GenerationMode, PackingSchedule>> = {
  i2v: parseSchedule('f1k1_x_g9_f1k1f2k2f16k4_td'),
  f1: parseSchedule('f1k1_td_f16k4f2k2f1k1_g9'),
};

/** Latent frames of context that the network sees besides the picture; the history is never shorter. */
export const CONTEXT_FRAMES = 19;

/** What to plan. */
export interface SectionRequest {
  readonly mode: GenerationMode;
  readonly seconds: number;
  readonly fps: number;
  /** Latent frames that one section adds. */
  readonly latentWindowSize: number;
}

/**
 * Where context frames come from: the latent of the picture, or history counted from its growing end (`nearest` 0 is
 * the frame that touches the section).
 */
export type LatentSource =
  | { readonly from: 'start' }
  | { readonly from: 'history'; readonly nearest: number; readonly numFrames: number };

/** One compression level of the context: its latents in time order and their positions on the time axis. */
export interface ContextGroup {
  readonly frameIndices: readonly number[];
  readonly sources: readonly LatentSource[];
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

/** Everything that differs between sections and modes, as data. */
export interface SectionPlan {
  /** In sampling order, which is the order of the noise too. */
  readonly sectionIndex: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Gap to the picture in windows; 0 in forward mode. */
  readonly padding: number;
  /** Which end of the video the section is joined to. */
  readonly growsAt: 'front' | 'back';
  /** Whether the picture's latent goes in front of the sampled frames before they join the history. */
  readonly prependsStart: boolean;
  /** Positions of the frames to generate. */
  readonly targetIndices: readonly number[];
  /** Context by compression level. Levels are fed even where the history is still empty (zeros). */
  readonly context: Readonly<Record<'clean' | 'clean2x' | 'clean4x', ContextGroup>>;
  readonly decode: DecodePlan;
}

/**
 * Plans a video: how many sections, in which order, what each sees and how it is decoded.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when a number is not positive, or for another mode.
 * @see FramePack, arXiv 2504.12626, section 3.3; upstream demo_gradio.py and demo_gradio_f1.py at 97fe5db
 */
export function planSections(request: SectionRequest): readonly SectionPlan[] {
  const { mode, seconds, fps, latentWindowSize } = request;
  if (!Object.hasOwn(SCHEDULES, mode)) {
    const expected = Object.keys(SCHEDULES).join(' or ');
    throw new FramePackError(
      'ERR_ARGUMENT',
      `planSections: mode expected ${expected}, got ${String(mode)}`,
      { mode },
    );
  }
  const numSections = countSections(seconds, fps, latentWindowSize);
  const isInverted = mode === 'i2v';
  const paddings = isInverted ? sectionPaddings(numSections) : Array<number>(numSections).fill(0);
  return paddings.map((padding, sectionIndex) => {
    const isFirst = sectionIndex === 0;
    const isLast = sectionIndex === numSections - 1;
    const layout = layOut(SCHEDULES[mode], padding * latentWindowSize, latentWindowSize);
    // The picture's own frame is in the decoded stretch once: at the end of an inverted video, at the start of a forward one.
    const hasStart = isInverted ? isLast : isFirst;
    const numLatents = (isFirst ? 1 : 2) * latentWindowSize + (hasStart ? 1 : 0);
    return {
      sectionIndex,
      isFirst,
      isLast,
      padding,
      growsAt: isInverted ? 'front' : 'back',
      prependsStart: isInverted && isLast,
      ...layout,
      decode: {
        numLatents,
        numFrames: decodedFrames(numLatents),
        numOverlapFrames: isFirst ? 0 : overlapFrames(latentWindowSize),
      },
    };
  });
}

type Layout = Pick<SectionPlan, 'targetIndices' | 'context'>;
type LevelName = keyof SectionPlan['context'];

/** Puts the parts of a schedule on the time axis, from position 0, and says what fills each. */
function layOut(schedule: PackingSchedule, gapFrames: number, windowSize: number): Layout {
  const groups: Record<LevelName, { frameIndices: number[]; sources: LatentSource[] }> = {
    clean: { frameIndices: [], sources: [] },
    clean2x: { frameIndices: [], sources: [] },
    clean4x: { frameIndices: [], sources: [] },
  };
  const generateAt = schedule.parts.findIndex((part) => part.kind === 'generate');
  let targetIndices: readonly number[] = [];
  let position = 0;
  schedule.parts.forEach((part, index) => {
    if (part.kind === 'skip') {
      position += gapFrames;
      return;
    }
    if (part.kind === 'generate') {
      targetIndices = range(position, windowSize);
      position += windowSize;
      return;
    }
    for (const { group, source } of sourcesOf(part, index - generateAt)) {
      const level = groups[levelOf(group)];
      level.frameIndices.push(...range(position, group.numFrames));
      level.sources.push(source);
      position += group.numFrames;
    }
  });
  return { targetIndices, context: groups };
}

/** Groups that touch the section are history, nearest first; one that does not is the picture. */
function sourcesOf(
  part: Extract<SchedulePart, { kind: 'context' }>,
  stepsBehindSection: number,
): { group: FrameGroup; source: LatentSource }[] {
  if (Math.abs(stepsBehindSection) !== 1) {
    return part.groups.map((group) => ({ group, source: { from: 'start' } }));
  }
  let nearest = 0;
  const outwards = stepsBehindSection > 0 ? part.groups : part.groups.toReversed();
  const sources = outwards.map((group) => {
    const source: LatentSource = { from: 'history', nearest, numFrames: group.numFrames };
    nearest += group.numFrames;
    return { group, source };
  });
  return stepsBehindSection > 0 ? sources : sources.reverse();
}

function levelOf({ kernel }: FrameGroup): LevelName {
  switch (kernel.frames) {
    case 1:
      return 'clean';
    case 2:
      return 'clean2x';
    case 4:
      return 'clean4x';
    default:
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `planSections: kernel expected level 1, 2 or 4, got ${kernel.frames}`,
      );
  }
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => start + i);
}
