import type { EncoderName } from './formats.ts';

/** What to write and where. */
export interface VideoOptions {
  /** File to create; its folder must exist, the file must not, unless `overwrite` is set. Its extension decides what it holds. */
  readonly path: string;
  /** Whether the finished video may take the place of a file, or of a folder of numbered pictures. */
  readonly overwrite?: boolean;
  /** Frame width in pixels, even. */
  readonly width: number;
  /** Frame height in pixels, even. */
  readonly height: number;
  /** Frames per second, a whole number. */
  readonly fps: number;
  /** Quality on the scale of x264's constant rate factor: 0 is best, 51 worst; 16 unless given. */
  readonly quality?: number;
  /**
   * Text stored in the file's comment tag, such as prompt, seed and settings as JSON; needed with the first frame. A
   * GIF keeps none.
   */
  readonly metadata?: string | Promise<string>;
  /** Encoder to use; the first for this kind of file that works on this machine unless given. */
  readonly encoder?: EncoderName;
}

/** A finished video. */
export interface VideoResult {
  /** Absolute path of the file, or of the folder of numbered pictures. */
  readonly path: string;
  readonly encoder: EncoderName;
  readonly numFrames: number;
  readonly durationSeconds: number;
}

/** RGB frames `[height, width, 3]` of a video in order, which can be gone through several times. */
export interface FrameSource extends AsyncIterable<Uint8Array> {
  readonly numFrames: number;
}

/**
 * Told of a video that is complete and has no name yet.
 *
 * @param temporaryPath - where it lies.
 * @param path - absolute path that it is going to have.
 */
export type BeforePublish = (temporaryPath: string, path: string) => Promise<void>;

/** Takes the frames of one video in order. Wait for each call before the next. */
export interface VideoWriter {
  readonly encoder: EncoderName;
  /**
   * Appends one frame.
   *
   * @param rgb - `[height, width, 3]`; may be reused once the promise settles.
   */
  addFrame(rgb: Uint8Array): Promise<void>;
  /** Completes the file and gives it its name. */
  finish(beforePublish?: BeforePublish): Promise<VideoResult>;
  /** Stops and leaves nothing behind. Does nothing after {@link VideoWriter.finish}. */
  abort(): Promise<void>;
}

/** {@link VideoOptions} with the defaults filled in. */
export type EncoderSettings = Required<
  Pick<VideoOptions, 'width' | 'height' | 'fps' | 'quality'>
> & {
  readonly metadata?: string;
};

/** Turns frames into a file or folder at a path that exists and is empty. */
export interface FrameEncoder {
  /** Encodes one frame `[height, width, 3]`. */
  encode(rgb: Uint8Array): Promise<void>;
  /** Writes everything that is left. */
  finish(): Promise<void>;
  /** Ends all work at once; what is written may be incomplete. */
  abort(): Promise<void>;
}
