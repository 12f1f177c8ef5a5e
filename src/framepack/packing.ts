import { FramePackError, quote } from '../errors.ts';

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
const GENERATE = /^g(\d+)$/;
/** Ten hours of latent frames, more than any video: beyond it a count is a slip of the keyboard. */
const MAX_COUNT = 300_000;

/** The kernel `k(1, 2, 2)` of compression level k: 1 is the plain patch, 2 covers 8 times as much, 4 64 times. */
export function cubicKernel(level: number): PatchKernel {
  return { frames: level, height: 2 * level, width: 2 * level };
}

/**
 * Reads the paper's notation, such as `td_f16k4f2k2f1k1_g9` or `f1k1_x_g9_f1k1f2k2f16k4_td`: groups of frames with
 * their kernels (`kN` is `N(1, 2, 2)`, `k1h2w4` spells one out), `gN` frames to generate, `x` a gap, `td`, `ta` or
 * `tc` the treatment of older history, `+D` discretised history. Left to right is time order. Counts are whole numbers
 * from 1 to 300000 without leading zeros.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` on anything else, unless there is exactly one `g`, and when frames have
 * two tails. The message says at which character, from 1; `details` has `text` and `position`, from 0.
 * @see FramePack, arXiv 2504.12626, section 4 (notation of the ablations)
 */
export function parseSchedule(text: string): PackingSchedule {
  if (typeof text !== 'string') {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `parseSchedule: text expected a schedule such as td_f16k4f2k2f1k1_g9, got ${quote(text)}`,
    );
  }
  const words = wordsOf(text.replace(/\+d$/i, ''), text);
  const parts: SchedulePart[] = [];
  let isBehindSection = false;
  let pendingTail: Word | null = null;
  for (const word of words) {
    if (Object.hasOwn(TAILS, word.letters)) {
      // Behind the generated frames time runs away from them, so that the tail is written last.
      if (isBehindSection) setTail(parts, word);
      else if (pendingTail !== null) throw malformed(word, 'frames behind a tail');
      else pendingTail = word;
      continue;
    }
    const part = parsePart(word, pendingTail);
    if (part.kind === 'generate') {
      if (isBehindSection) throw malformed(word, 'one part gN');
      isBehindSection = true;
    }
    parts.push(part);
    pendingTail = null;
  }
  if (!isBehindSection) {
    throw malformed({ letters: '', position: text.length, text }, 'one part gN');
  }
  return { parts, isDiscretized: /\+d$/i.test(text) };
}

/** What stands between underscores, or a piece of it, and where in the whole text. */
interface Word {
  readonly letters: string;
  readonly position: number;
  readonly text: string;
}

function wordsOf(body: string, text: string): Word[] {
  let position = 0;
  return body.split('_').map((letters) => {
    const word = { letters, position, text };
    position += letters.length + 1;
    return word;
  });
}

function pieceOf({ letters, position, text }: Word, from: number, to?: number): Word {
  return { letters: letters.slice(from, to), position: position + from, text };
}

function parsePart(word: Word, tail: Word | null): SchedulePart {
  if (word.letters.startsWith('f')) {
    const groups = parseGroups(word);
    return { kind: 'context', groups, tail: tail === null ? null : TAILS[tail.letters]! };
  }
  if (tail !== null) throw malformed(word, 'frames behind a tail');
  if (word.letters === 'x') return { kind: 'skip' };
  if (!GENERATE.test(word.letters)) throw malformed(word, 'f, g, x, td, ta or tc');
  return { kind: 'generate', numFrames: parseCount(pieceOf(word, 1)) };
}

function parseGroups(word: Word): FrameGroup[] {
  const groups: FrameGroup[] = [];
  for (let at = 0; at < word.letters.length; at = GROUP.lastIndex) {
    GROUP.lastIndex = at;
    const match = GROUP.exec(word.letters)?.[0];
    if (match === undefined) throw malformed(pieceOf(word, at), 'groups such as f16k4');
    const [numFrames, frames, height, width] = Array.from(match.matchAll(/\d+/g), (digits) => {
      const from = at + digits.index;
      return parseCount(pieceOf(word, from, from + digits[0].length));
    }) as [number, number, number?, number?];
    const isCubic = height === undefined || width === undefined;
    groups.push({ numFrames, kernel: isCubic ? cubicKernel(frames) : { frames, height, width } });
  }
  return groups;
}

function parseCount(digits: Word): number {
  const count = Number(digits.letters);
  if (digits.letters.startsWith('0') || count > MAX_COUNT) {
    throw malformed(digits, `a whole number from 1 to ${MAX_COUNT}`);
  }
  return count;
}

function setTail(parts: SchedulePart[], tail: Word): void {
  const last = parts.pop();
  if (last?.kind !== 'context') throw malformed(tail, 'frames before a tail');
  if (last.tail !== null) throw malformed(tail, 'one tail');
  parts.push({ ...last, tail: TAILS[tail.letters]! });
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

function formatGroup({ numFrames, kernel }: FrameGroup): string {
  return `f${numFrames}${formatKernel(kernel)}`;
}

/** Writes a kernel in the notation of {@link parseSchedule}, such as `k4` or `k1h2w4`. */
export function formatKernel({ frames, height, width }: PatchKernel): string {
  const isCubic = height === 2 * frames && width === 2 * frames;
  return `k${frames}${isCubic ? '' : `h${height}w${width}`}`;
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

function malformed({ letters, position, text }: Word, expected: string): FramePackError {
  return new FramePackError(
    'ERR_ARGUMENT',
    `parseSchedule: text expected ${expected}, got ${quote(letters)} at character ${position + 1} of "${text}"`,
    { text, position },
  );
}
