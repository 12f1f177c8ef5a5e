import { FramePackError } from '../errors.ts';

/** Extent in latent frames, rows and columns of one patchify kernel; its stride too. */
export interface PatchKernel {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Contiguous latent frames encoded with one kernel. */
export interface FrameGroup {
  readonly numFrames: number;
  readonly kernel: PatchKernel;
}

/** What happens to history older than the oldest group: dropped, appended as single units, or pooled into one. */
export type Tail = 'delete' | 'append' | 'compress';

/** One stretch of the time axis: context, a gap of any length, or the frames to generate. */
export type SchedulePart =
  | { readonly kind: 'context'; readonly groups: readonly FrameGroup[]; readonly tail: Tail | null }
  | { readonly kind: 'skip' }
  | { readonly kind: 'generate'; readonly numFrames: number };

/** A packing schedule in time order. */
export interface PackingSchedule {
  readonly parts: readonly SchedulePart[];
  /** Whether history is replaced by the nearest entries of a codebook. */
  readonly isDiscretized: boolean;
}

const TAILS: Readonly<Record<string, Tail>> = { td: 'delete', ta: 'append', tc: 'compress' };
const GROUP = /f(\d+)k(\d+)(?:h(\d+)w(\d+))?/y;

/** The kernel `k(1, 2, 2)` of compression level k: 1 is the plain patch, 2 covers 8 times as much, 4 64 times. */
export function cubicKernel(level: number): PatchKernel {
  return { frames: level, height: 2 * level, width: 2 * level };
}

/**
 * Reads the paper's notation, such as `td_f16k4f2k2f1k1_g9` or `f1k1_x_g9_f1k1f2k2f16k4_td`: groups of frames with
 * their kernels (`kN` is `N(1, 2, 2)`, `k1h2w4` spells one out), `gN` frames to generate, `x` a gap, `td`, `ta` or
 * `tc` the treatment of older history, `+D` discretised history. Left to right is time order.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` on anything else, or unless there is exactly one `g`.
 * @see FramePack, arXiv 2504.12626, section 4 (notation of the ablations)
 */
export function parseSchedule(text: string): PackingSchedule {
  const isDiscretized = /\+d$/i.test(text);
  const words = text.replace(/\+d$/i, '').split('_');
  const generateAt = words.findIndex((word) => word.startsWith('g'));
  const parts: SchedulePart[] = [];
  let pendingTail: Tail | null = null;
  words.forEach((word, index) => {
    const tail = TAILS[word];
    if (tail === undefined) {
      parts.push(parsePart(word, pendingTail, text));
      pendingTail = null;
    } else if (index < generateAt) {
      pendingTail = tail;
    } else {
      // Behind the generated frames time runs away from them, so that the tail is written last.
      setTail(parts, tail, text);
    }
  });
  const numGenerated = parts.filter((part) => part.kind === 'generate').length;
  if (numGenerated !== 1) throw malformed(text, `one part gN, got ${numGenerated}`);
  return { parts, isDiscretized };
}

function parsePart(word: string, tail: Tail | null, text: string): SchedulePart {
  if (word.startsWith('f')) return { kind: 'context', groups: parseGroups(word, text), tail };
  if (tail !== null) throw malformed(text, `frames behind a tail, got "${word}"`);
  if (word === 'x') return { kind: 'skip' };
  const numFrames = /^g([1-9]\d*)$/.exec(word)?.[1];
  if (numFrames === undefined) throw malformed(text, `f, g, x, td, ta or tc, got "${word}"`);
  return { kind: 'generate', numFrames: Number(numFrames) };
}

function parseGroups(word: string, text: string): FrameGroup[] {
  const groups: FrameGroup[] = [];
  for (let position = 0; position < word.length; position = GROUP.lastIndex) {
    GROUP.lastIndex = position;
    const match = GROUP.exec(word);
    if (match === null)
      throw malformed(text, `groups such as f16k4, got "${word.slice(position)}"`);
    const [numFrames, frames, height, width] = match.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const kernel = match[3] === undefined ? cubicKernel(frames) : { frames, height, width };
    if (Math.min(numFrames, kernel.frames, kernel.height, kernel.width) < 1) {
      throw malformed(text, `positive counts, got "${match[0]}"`);
    }
    groups.push({ numFrames, kernel });
  }
  return groups;
}

function setTail(parts: SchedulePart[], tail: Tail, text: string): void {
  const last = parts.pop();
  if (last?.kind !== 'context') throw malformed(text, 'frames before a tail');
  parts.push({ ...last, tail });
}

/** Writes a schedule in the notation that {@link parseSchedule} reads. */
export function formatSchedule(schedule: PackingSchedule): string {
  const generateAt = schedule.parts.findIndex((part) => part.kind === 'generate');
  const words = schedule.parts.flatMap((part, index) => {
    if (part.kind === 'skip') return ['x'];
    if (part.kind === 'generate') return [`g${part.numFrames}`];
    const groups = part.groups.map(formatGroup).join('');
    const tail = Object.entries(TAILS).flatMap(([word, name]) =>
      name === part.tail ? [word] : [],
    );
    return index < generateAt ? [...tail, groups] : [groups, ...tail];
  });
  return words.join('_') + (schedule.isDiscretized ? '+D' : '');
}

function formatGroup({ numFrames, kernel: { frames, height, width } }: FrameGroup): string {
  const isCubic = height === 2 * frames && width === 2 * frames;
  return `f${numFrames}k${frames}${isCubic ? '' : `h${height}w${width}`}`;
}

/**
 * Tokens that groups of frames become: extents are padded up to whole kernels at the far end.
 *
 * @param height - latent height.
 * @param width - latent width.
 */
export function countTokens(groups: readonly FrameGroup[], height: number, width: number): number {
  return groups.reduce(
    (sum, { numFrames, kernel }) =>
      sum +
      Math.ceil(numFrames / kernel.frames) *
        Math.ceil(height / kernel.height) *
        Math.ceil(width / kernel.width),
    0,
  );
}

function malformed(text: string, expected: string): FramePackError {
  return new FramePackError(
    'ERR_ARGUMENT',
    `parseSchedule: text expected ${expected}, in "${text}"`,
    {
      text,
    },
  );
}
