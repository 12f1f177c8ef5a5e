import { type ArrangedPart, arrangeSchedule, type SamplingOrder } from './arrangement.ts';
import { videoFrames } from './frame-count.ts';
import { formatSchedule } from './packing.ts';
import { type GroupSize, measureSchedule } from './schedule-size.ts';
import { planSections, type SectionPlan, type SectionRequest } from './section-plan.ts';

/** What to count the tokens of. */
export interface TokenRequest extends SectionRequest {
  /** Pixels, a positive multiple of 16. */
  readonly height: number;
  /** Pixels, a positive multiple of 16. */
  readonly width: number;
}

/** Frames of a section that share a kernel. */
export interface TokenGroup extends Pick<GroupSize, 'numFrames' | 'kernel' | 'numTokens'> {
  readonly role: Exclude<ArrangedPart['role'], 'gap'>;
}

/** One section in numbers. */
export interface SectionTokens extends Pick<SectionPlan, 'sectionIndex' | 'gapFrames'> {
  readonly contextTokens: number;
  /** Tokens of the frames that the section makes. */
  readonly targetTokens: number;
  readonly numTokens: number;
}

/** A video's sections in numbers of tokens, those of text and picture embedding not among them. */
export interface TokenPlan extends Omit<TokenRequest, 'schedule'> {
  /** In the notation of `parseSchedule`. */
  readonly schedule: string;
  readonly order: SamplingOrder;
  /** Latent frames that one section adds. */
  readonly latentWindowSize: number;
  /** Frames of the video. */
  readonly numFrames: number;
  /** What a section consists of, in time order. */
  readonly groups: readonly TokenGroup[];
  /** In sampling order. */
  readonly sections: readonly SectionTokens[];
  /** Tokens of the largest section. */
  readonly maxTokens: number;
  /** What a section would take that saw the whole video uncompressed. */
  readonly unpackedTokens: number;
}

/**
 * Counts the tokens of every section of a video.
 *
 * @throws {@link FramePackError} as `planSections` and `measureSchedule`.
 */
export function planTokens(request: TokenRequest): TokenPlan {
  const { schedule, height, width, seconds, fps } = request;
  const { order, latentWindowSize, parts } = arrangeSchedule(schedule);
  const size = measureSchedule(schedule, height, width);
  const roles = parts.flatMap((part): TokenGroup['role'][] => {
    if (part.role === 'gap') return [];
    return 'groups' in part ? part.groups.map(() => part.role) : [part.role];
  });
  const groups = size.groups.map(({ numFrames, kernel, numTokens }, index) => ({
    ...{ role: roles[index]!, numFrames, kernel, numTokens },
  }));
  const { contextTokens, generatedTokens: targetTokens, numTokens } = size;
  const sections = planSections({ schedule, seconds, fps }).map(({ sectionIndex, gapFrames }) => ({
    ...{ sectionIndex, gapFrames, contextTokens, targetTokens, numTokens },
  }));
  const latents = 1 + sections.length * latentWindowSize;
  return {
    ...{ schedule: formatSchedule(schedule), order, latentWindowSize },
    ...{ height, width, seconds, fps, groups, sections },
    numFrames: videoFrames(sections.length, latentWindowSize),
    maxTokens: Math.max(...sections.map((section) => section.numTokens)),
    unpackedTokens: latents * (targetTokens / latentWindowSize),
  };
}
