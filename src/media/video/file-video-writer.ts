import { FramePackError } from '../../errors.ts';
import { type OutputFile, writeError } from '../output-file.ts';
import type { EncoderName } from './formats.ts';
import type {
  BeforePublish,
  FrameEncoder,
  VideoOptions,
  VideoResult,
  VideoWriter,
} from './video-writer.ts';

/** Checks frames, counts them, and publishes the file once the encoder is done. */
export class FileVideoWriter implements VideoWriter {
  readonly #output: OutputFile;
  readonly #start: () => Promise<FrameEncoder>;
  #encoder: FrameEncoder | undefined;
  readonly encoder: EncoderName;
  readonly #options: VideoOptions;
  #numFrames = 0;
  #isOpen = true;

  /** @param start - starts the encoder; called with the first frame. */
  constructor(
    output: OutputFile,
    start: () => Promise<FrameEncoder>,
    encoderName: EncoderName,
    options: VideoOptions,
  ) {
    this.#output = output;
    this.#start = start;
    this.encoder = encoderName;
    this.#options = options;
  }

  async addFrame(rgb: Uint8Array): Promise<void> {
    this.#assertOpen('addFrame');
    const { width, height } = this.#options;
    if (rgb.length !== width * height * 3) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `addFrame: rgb expected [${height}, ${width}, 3], got ${rgb.length} bytes`,
        { width, height, bytes: rgb.length },
      );
    }
    try {
      this.#encoder ??= await this.#start();
      await this.#encoder.encode(rgb);
    } catch (cause) {
      throw writeError(this.#output.path, cause);
    }
    this.#numFrames++;
  }

  async finish(beforePublish?: BeforePublish): Promise<VideoResult> {
    this.#assertOpen('finish');
    this.#isOpen = false;
    try {
      if (this.#encoder === undefined) {
        throw new FramePackError('ERR_OUTPUT', 'finish: video expected at least one frame, got 0');
      }
      await this.#encoder.finish();
      await beforePublish?.(this.#output.temporaryPath, this.#output.path);
    } catch (cause) {
      await this.#discard();
      throw writeError(this.#output.path, cause);
    }
    await this.#output.publish();
    return {
      path: this.#output.path,
      encoder: this.encoder,
      numFrames: this.#numFrames,
      durationSeconds: this.#numFrames / this.#options.fps,
    };
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#discard();
  }

  async #discard(): Promise<void> {
    await this.#encoder?.abort();
    await this.#output.discard();
  }

  #assertOpen(operation: string): void {
    if (this.#isOpen) return;
    throw new FramePackError(
      'ERR_DISPOSED',
      `${operation}: video expected to be open, got one that is finished or aborted`,
    );
  }
}
