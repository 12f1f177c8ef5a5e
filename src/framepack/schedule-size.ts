import { FramePackError, quote } from '../errors.ts';
import { countTokens, cubicKernel, type FrameGroup, type PackingSchedule } from './packing.ts';

/** Pixels that a latent is apart from the next, in height and width. */
const SPATIAL_STRIDE = 8;
/** Pixels that the plain patch covers: a size that this divides needs no padding at level 1. */
const PATCH_PIXELS = 16;

/** Frames of a schedule that share a kernel, and what they take in a sequence. */
export interface GroupSize extends FrameGroup {
  /** `context`, or `generate` for the frames that a section makes. */
  readonly kind: 'context' | 'generate';
  readonly numTokens: number;
}

/** What one section takes at one size. */
export interface ScheduleSize {
  /** In time order. */
  readonly groups: readonly GroupSize[];
  readonly contextFrames: number;
  readonly contextTokens: number;
  readonly generatedFrames: number;
  readonly generatedTokens: number;
  /** Tokens of context and generated frames together: the same for every section, however long the video. */
  readonly numTokens: number;
}

/**
 * Counts the tokens of a schedule's section, those of text and picture embedding not among them. Frames that are not
 * there yet count too: the networks see zeros in their place.
 *
 * @param height - pixels, a positive multiple of 16.
 * @param width - pixels, a positive multiple of 16.
 * @throws {@link FramePackError} `ERR_ARGUMENT` for another size; `ERR_UNSUPPORTED` for the tails `ta` and `tc`, whose
 * tokens depend on the video's length.
 */
export function measureSchedule(
  schedule: PackingSchedule,
  height: number,
  width: number,
): ScheduleSize {
  checkExtent('height', height);
  checkExtent('width', width);
  const size = (kind: GroupSize['kind'], group: FrameGroup): GroupSize => ({
    ...group,
    kind,
    numTokens: countTokens([group], height / SPATIAL_STRIDE, width / SPATIAL_STRIDE),
  });
  const groups = schedule.parts.flatMap((part): GroupSize[] => {
    if (part.kind === 'skip') return [];
    if (part.kind === 'generate') {
      return [size('generate', { numFrames: part.numFrames, kernel: cubicKernel(1) })];
    }
    if (part.tail !== null && part.tail !== 'delete') {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `measureSchedule: schedule expected the tail td or none, got one that keeps older frames (${part.tail})`,
        { tail: part.tail },
      );
    }
    return part.groups.map((group) => size('context', group));
  });
  const sum = (kind: GroupSize['kind'], field: 'numFrames' | 'numTokens'): number =>
    groups.reduce((total, group) => total + (group.kind === kind ? group[field] : 0), 0);
  const contextTokens = sum('context', 'numTokens');
  const generatedTokens = sum('generate', 'numTokens');
  return {
    groups,
    contextFrames: sum('context', 'numFrames'),
    contextTokens,
    generatedFrames: sum('generate', 'numFrames'),
    generatedTokens,
    numTokens: contextTokens + generatedTokens,
  };
}

function checkExtent(name: string, pixels: number): void {
  if (Number.isSafeInteger(pixels) && pixels > 0 && pixels % PATCH_PIXELS === 0) return;
  throw new FramePackError(
    'ERR_ARGUMENT',
    `measureSchedule: ${name} expected a positive multiple of ${PATCH_PIXELS} pixels, got ${quote(pixels)}`,
    { [name]: pixels },
  );
}
