import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { FramePackError } from '../errors.ts';
import { rgbToI420 } from './colour.ts';
import type { EncoderSettings, FrameEncoder } from './video-writer.ts';

const COMMAND = 'ffmpeg';
const PROBE_MS = 20_000;
const KEPT_MESSAGE_LENGTH = 2000;

/** H.264 by the `ffmpeg` program that the user installed, with its libx264. */
export class FfmpegEncoder implements FrameEncoder {
  readonly #settings: EncoderSettings;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #messages = '';
  #failure: FramePackError | undefined;

  private constructor(file: string, settings: EncoderSettings) {
    this.#settings = settings;
    this.#process = spawn(COMMAND, ffmpegArguments(file, settings));
    this.#process.stdout.resume();
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#messages = (this.#messages + text).slice(-KEPT_MESSAGE_LENGTH);
    });
    // A program that ends early closes its input; its exit status tells why.
    this.#process.stdin.on('error', () => {});
    this.#ended = this.#watch();
  }

  /**
   * @param file - MP4 file to write, existing and empty.
   * @returns Nothing when there is no `ffmpeg` with libx264 on the `PATH`.
   */
  static async create(file: string, settings: EncoderSettings): Promise<FfmpegEncoder | undefined> {
    try {
      const probe = await promisify(execFile)(COMMAND, ['-hide_banner', '-encoders'], {
        timeout: PROBE_MS,
      });
      if (!/\blibx264\b/.test(probe.stdout)) return undefined;
    } catch {
      return undefined;
    }
    return new FfmpegEncoder(file, settings);
  }

  async encode(rgb: Uint8Array): Promise<void> {
    const { width, height } = this.#settings;
    const hasRoom = this.#process.stdin.write(rgbToI420(rgb, width, height));
    if (!hasRoom) await Promise.race([once(this.#process.stdin, 'drain'), this.#ended]);
    if (this.#failure) throw this.#failure;
  }

  async finish(): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
    if (this.#failure) throw this.#failure;
  }

  async abort(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async #watch(): Promise<void> {
    try {
      const [status, signal] = (await once(this.#process, 'close')) as [
        number | null,
        string | null,
      ];
      if (status !== 0) {
        this.#failure = ffmpegError(`exit status ${status ?? signal}: ${this.#messages.trim()}`);
      }
    } catch (cause) {
      this.#failure = ffmpegError('a program that cannot be started', cause);
    }
  }
}

/** The whole command line. The input is our own conversion, so colours do not depend on the program. */
export function ffmpegArguments(file: string, settings: EncoderSettings): string[] {
  const colour = [
    ...['-color_range', 'tv', '-colorspace', 'bt709'],
    ...['-color_primaries', 'bt709', '-color_trc', 'bt709'],
  ];
  const { metadata } = settings;
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe'],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${settings.width}x${settings.height}`],
    ...['-framerate', String(settings.fps), ...colour, '-i', 'pipe:0'],
    ...['-an', '-c:v', 'libx264', '-crf', String(settings.quality), '-pix_fmt', 'yuv420p'],
    ...colour,
    ...(metadata === undefined ? [] : ['-metadata', `comment=${metadata}`]),
    ...['-movflags', '+faststart', '-f', 'mp4', '-y', `file:${file}`],
  ];
}

function ffmpegError(problem: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_OUTPUT',
    `ffmpeg: video expected to be encoded, got ${problem}`,
    {},
    cause,
  );
}
