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
 * Messages have one form: `<operation>: <argument> expected <X>, got <Y>`.
 */
export class FramePackError extends Error {
  override readonly name = 'FramePackError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}
