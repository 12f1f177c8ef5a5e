import { FramePackError, quote } from '../errors.ts';
import {
  type FrameGroup,
  formatSchedule,
  type PackingSchedule,
  type PatchKernel,
  parseSchedule,
  type SchedulePart,
} from './packing.ts';

/** Rows and columns of the plain patch `k1`; it has one frame. */
const PATCH_EDGE = 2;
/** Times that a kernel may exceed the plain patch along an axis: the widest window that rotary phases are pooled over. */
const MAX_LEVEL = 64;

/**
 * In which order a schedule's sections are sampled. `vanilla`: in time order, each sees what came before it. `inverted`:
 * from the end of the video to its start, each sees what follows it.
 *
 * @see FramePack, arXiv 2504.12626, section 3.3 and figure 2
 */
export type SamplingOrder = 'vanilla' | 'inverted';

/**
 * A part of a schedule by what it is to the section. `history`: frames that touch the section, the latest that were
 * generated; `opening`: the first frames of the video, beginning with the picture; `gap`: any number of frames that the
 * section does not see; `section`: the frames to generate.
 */
export type ArrangedPart =
  | { readonly role: 'history' | 'opening'; readonly groups: readonly FrameGroup[] }
  | { readonly role: 'gap' }
  | { readonly role: 'section'; readonly numFrames: number };

/** What the parts of a schedule are to each other. */
export interface Arrangement {
  readonly order: SamplingOrder;
  /** Latent frames that one section adds. */
  readonly latentWindowSize: number;
  /** In time order. */
  readonly parts: readonly ArrangedPart[];
}

/**
 * Finds out what the parts of a schedule are. Frames that touch `gN` are history; those before them, with a gap `x`
 * between or none, are the beginning of the video. History before `gN` makes the order vanilla, history behind it
 * inverted, where of the beginning nothing but the picture is there.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for parts that are neither; `ERR_UNSUPPORTED` for history on both sides,
 * frames behind a gap behind `gN` (endpoint order), the tails `ta` and `tc`, and kernels that are no multiple of `k1`, at
 * most 64 times along each axis. The message and `details.schedule` have the schedule.
 */
export function arrangeSchedule(schedule: PackingSchedule): Arrangement {
  const checked = checkSchedule(schedule);
  const { parts } = checked;
  const at = parts.findIndex(({ kind }) => kind === 'generate');
  const before = sideOf(parts.slice(0, at).toReversed(), checked);
  const after = sideOf(parts.slice(at + 1), checked);
  if (after.far !== null) {
    throw fault('ERR_UNSUPPORTED', 'no frames apart from gN behind it (endpoint order)', checked);
  }
  const isInverted = after.near !== null;
  const opening = before.far ?? (isInverted ? before.near : null);
  if (isInverted && (before.near ?? opening) !== opening) {
    throw fault('ERR_UNSUPPORTED', 'history before gN or behind it, not both', checked);
  }
  if (isInverted && opening !== null && framesOf(opening) > 1) {
    throw fault('ERR_UNSUPPORTED', 'nothing but the picture, f1, before an inverted gN', checked);
  }
  return {
    order: isInverted ? 'inverted' : 'vanilla',
    latentWindowSize: (parts[at] as Extract<SchedulePart, { kind: 'generate' }>).numFrames,
    parts: parts.map((part): ArrangedPart => {
      if (part.kind === 'skip') return { role: 'gap' };
      if (part.kind === 'generate') return { role: 'section', numFrames: part.numFrames };
      return { role: part === opening ? 'opening' : 'history', groups: part.groups };
    }),
  };
}

type ContextPart = Extract<SchedulePart, { kind: 'context' }>;

/** The frames on one side of the section: those that touch it, and those beyond. */
interface Side {
  readonly near: ContextPart | null;
  readonly far: ContextPart | null;
}

const SIDES = ['', 'context', 'context context', 'context skip context', 'skip context'];

/** Reads the parts on one side, from the section outwards. */
function sideOf(parts: readonly SchedulePart[], schedule: PackingSchedule): Side {
  const kinds = parts.map(({ kind }) => kind).join(' ');
  if (!SIDES.includes(kinds)) {
    const expected = 'on each side of gN at most frames that touch it and frames beyond a gap';
    throw fault('ERR_ARGUMENT', expected, schedule);
  }
  const context = parts.filter((part) => part.kind === 'context');
  const isTouching = parts[0]?.kind === 'context';
  return {
    near: isTouching ? context[0]! : null,
    far: (isTouching ? context[1] : context[0]) ?? null,
  };
}

/** A schedule that keeps the rules of the notation, whoever made it. */
function checkSchedule(schedule: PackingSchedule): PackingSchedule {
  if (!Array.isArray(schedule?.parts)) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `arrangeSchedule: schedule expected what parseSchedule returns, got ${quote(schedule)}`,
    );
  }
  const checked = parseSchedule(formatSchedule(schedule));
  const context = checked.parts.filter((part) => part.kind === 'context');
  if (context.some(({ tail }) => tail === 'append' || tail === 'compress')) {
    throw fault('ERR_UNSUPPORTED', 'the tail td or none', checked);
  }
  if (!context.every(({ groups }) => groups.every(({ kernel }) => isWhole(kernel)))) {
    const expected = `kernels of whole patches 1x2x2, at most ${MAX_LEVEL} along each axis`;
    throw fault('ERR_UNSUPPORTED', expected, checked);
  }
  return checked;
}

function isWhole({ frames, height, width }: PatchKernel): boolean {
  const isEven = height % PATCH_EDGE === 0 && width % PATCH_EDGE === 0;
  return isEven && Math.max(frames, height / PATCH_EDGE, width / PATCH_EDGE) <= MAX_LEVEL;
}

function framesOf({ groups }: ContextPart): number {
  return groups.reduce((sum, { numFrames }) => sum + numFrames, 0);
}

function fault(
  code: 'ERR_ARGUMENT' | 'ERR_UNSUPPORTED',
  expected: string,
  schedule: PackingSchedule,
): FramePackError {
  const notation = formatSchedule(schedule);
  return new FramePackError(
    code,
    `arrangeSchedule: schedule expected ${expected}, got ${notation}`,
    { schedule: notation },
  );
}
