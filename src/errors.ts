/** Every failure the library reports carries one of these codes. */
export type ErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_DEVICE'
  | 'ERR_ARGUMENT'
  | 'ERR_UNSUPPORTED'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_DISPOSED'
  | 'ERR_CHECKPOINT'
  | 'ERR_DOWNLOAD'
  | 'ERR_IMAGE'
  | 'ERR_OUTPUT'
  | 'ERR_NUMERIC'
  | 'ERR_ABORTED'
  | 'ERR_NATIVE_LOAD'
  | 'ERR_CUDA_DRIVER'
  | 'ERR_DEVICE_LOST'
  | 'ERR_INTERNAL';

/** Structured facts about a failure: names, shapes, limits, paths. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The only error class of the library. The native addon constructs it too, so `instanceof` works for
 * failures on either side of the boundary.
 *
 * Messages have one form: `<operation>: <argument> expected <X>, got <Y>`. They are one readable line whatever they
 * quote: control characters are escaped, long words (a data URL, say) and long messages are cut; `details` has the whole.
 */
export class FramePackError extends Error {
  override readonly name = 'FramePackError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(readable(message), cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

const MAX_WORD = 300;
const MAX_MESSAGE = 4000;
const MAX_QUOTED = 60;
/** Control characters, line and paragraph separators, halves of surrogate pairs, and what turns text around. */
const UNREADABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

function readable(message: string): string {
  return cut(
    message.replace(UNREADABLE, escaped).replace(/\S+/g, (word) => cut(word, MAX_WORD)),
    MAX_MESSAGE,
  );
}

function escaped(character: string): string {
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return named ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The start and the end of a text that is too long. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = Math.floor(length / 2);
  return `${text.slice(0, half)}...${text.slice(-half)}`;
}

/** As {@link quote}, but text, such as a name that was to be one of several, without quotes. */
export function show(value: unknown): string {
  return typeof value === 'string' ? value : quote(value);
}

/** A value as messages show it: a string in quotes, cut when it is long; of objects only what they are. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return value.length > MAX_QUOTED ? `"${value.slice(0, MAX_QUOTED)}..."` : `"${value}"`;
}
