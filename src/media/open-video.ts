import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FramePackError } from '../errors.ts';
import { FfmpegEncoder } from './ffmpeg-encoder.ts';
import { OutputFile, writeError } from './output-file.ts';
import { PngSequenceEncoder } from './png.ts';
import type {
  EncoderName,
  EncoderSettings,
  FrameEncoder,
  VideoOptions,
  VideoResult,
  VideoWriter,
} from './video-writer.ts';
import { WebcodecsEncoder } from './webcodecs-encoder.ts';

/** The quality of the reference application. */
const DEFAULT_QUALITY = 16;
const WORST_QUALITY = 51;
/** One argument of a program cannot be longer than 128 KiB on Linux. */
const MAX_METADATA_BYTES = 100_000;

/**
 * Opens a video for writing: H.264, yuv420p, BT.709 limited range, MP4 with its index in front. The first
 * encoder that works is taken: `node-webcodecs`, then `ffmpeg`, then numbered PNG pictures in a folder
 * named like the file.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for odd sizes and other unusable options; `ERR_OUTPUT` when the file
 *   exists or cannot be created; `ERR_UNSUPPORTED` when the encoder asked for is not there.
 */
export async function openVideo(options: VideoOptions): Promise<VideoWriter> {
  checkOptions(options);
  if (options.encoder !== 'png') {
    const writer = await openMp4(options);
    if (writer) return writer;
  }
  if (options.encoder !== undefined && options.encoder !== 'png') {
    throw new FramePackError(
      'ERR_UNSUPPORTED',
      `openVideo: encoder expected to work here, got "${options.encoder}", which is missing or cannot ` +
        `encode ${options.width} x ${options.height}; install node-webcodecs or ffmpeg with libx264`,
      { encoder: options.encoder },
    );
  }
  const { dir, name } = path.parse(options.path);
  const output = await OutputFile.reserveFolder(path.join(dir, `${name}-frames`));
  const encoder = new PngSequenceEncoder(output.temporaryPath, settingsOf(options));
  return new FileVideoWriter(output, encoder, 'png', options);
}

/** Encoders of MP4 files that work on this machine, best first; each is started once, on a file thrown away. */
export async function availableEncoders(): Promise<EncoderName[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'framepack-encoders-'));
  const settings = { width: 64, height: 64, fps: 30, quality: DEFAULT_QUALITY };
  const found: EncoderName[] = [];
  try {
    for (const { name, create } of MP4_ENCODERS) {
      const encoder = await create(path.join(folder, `${name}.mp4`), settings);
      if (encoder === undefined) continue;
      await encoder.abort();
      found.push(name);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return found;
}

async function openMp4(options: VideoOptions): Promise<VideoWriter | undefined> {
  const output = await OutputFile.reserveFile(options.path);
  const settings = settingsOf(options);
  for (const { name, create } of MP4_ENCODERS) {
    if (options.encoder !== undefined && options.encoder !== name) continue;
    const encoder = await create(output.temporaryPath, settings);
    if (encoder) return new FileVideoWriter(output, encoder, name, options);
  }
  await output.discard();
  return undefined;
}

const MP4_ENCODERS: readonly {
  readonly name: EncoderName;
  readonly create: (file: string, settings: EncoderSettings) => Promise<FrameEncoder | undefined>;
}[] = [
  { name: 'webcodecs', create: WebcodecsEncoder.create },
  { name: 'ffmpeg', create: FfmpegEncoder.create },
];

function settingsOf(options: VideoOptions): EncoderSettings {
  const { width, height, fps, quality = DEFAULT_QUALITY, metadata } = options;
  return { width, height, fps, quality, ...(metadata === undefined ? {} : { metadata }) };
}

function checkOptions(options: VideoOptions): void {
  const { width, height, fps, quality = DEFAULT_QUALITY, metadata = '' } = options;
  const isPositiveInteger = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!isPositiveInteger(width) || !isPositiveInteger(height) || width % 2 || height % 2) {
    throw argumentError('size', 'even numbers of pixels (H.264 4:2:0)', `${width} x ${height}`);
  }
  if (!isPositiveInteger(fps)) throw argumentError('fps', 'a positive integer', fps);
  if (!Number.isInteger(quality) || quality < 0 || quality > WORST_QUALITY) {
    throw argumentError('quality', `an integer from 0 to ${WORST_QUALITY}`, quality);
  }
  const metadataBytes = Buffer.byteLength(metadata);
  if (metadataBytes > MAX_METADATA_BYTES || metadata.includes('\0')) {
    const got = `${metadataBytes} bytes${metadata.includes('\0') ? ' with a NUL' : ''}`;
    throw argumentError('metadata', `at most ${MAX_METADATA_BYTES} bytes without NUL`, got);
  }
}

function argumentError(name: string, expected: string, got: unknown): FramePackError {
  return new FramePackError('ERR_ARGUMENT', `openVideo: ${name} expected ${expected}, got ${got}`, {
    [name]: got,
  });
}

/** Checks frames, counts them, and publishes the file once the encoder is done. */
class FileVideoWriter implements VideoWriter {
  readonly #output: OutputFile;
  readonly #encoder: FrameEncoder;
  readonly #encoderName: EncoderName;
  readonly #options: VideoOptions;
  #numFrames = 0;
  #isOpen = true;

  constructor(
    output: OutputFile,
    encoder: FrameEncoder,
    encoderName: EncoderName,
    options: VideoOptions,
  ) {
    this.#output = output;
    this.#encoder = encoder;
    this.#encoderName = encoderName;
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
      await this.#encoder.encode(rgb);
    } catch (cause) {
      throw writeError(this.#output.path, cause);
    }
    this.#numFrames++;
  }

  async finish(): Promise<VideoResult> {
    this.#assertOpen('finish');
    this.#isOpen = false;
    try {
      if (this.#numFrames === 0) {
        throw new FramePackError('ERR_OUTPUT', 'finish: video expected at least one frame, got 0');
      }
      await this.#encoder.finish();
    } catch (cause) {
      await this.#discard();
      throw writeError(this.#output.path, cause);
    }
    await this.#output.publish();
    return {
      path: this.#output.path,
      encoder: this.#encoderName,
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
    await this.#encoder.abort();
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
