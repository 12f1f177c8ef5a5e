import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { FramePackError } from '../../../errors.ts';
import { rgbToI420 } from '../../colour.ts';
import type { EncoderSettings, FrameEncoder } from '../video-writer.ts';

const KEPT_MESSAGE_LENGTH = 2000;
const FULL_DISK = /No space left on device/;

/**
 * A program that encodes: frames go to its standard input as I420 planes of our own conversion, so that colours do not
 * depend on the program. What it says is kept for the error and shown to nobody else.
 */
export class ProcessEncoder implements FrameEncoder {
  readonly #name: string;
  readonly #settings: EncoderSettings;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #messages = '';
  #failure: FramePackError | undefined;

  /** Starts the program; its exit status 0 means that the file is complete. */
  constructor(command: readonly string[], name: string, settings: EncoderSettings) {
    const [program, ...programArguments] = command as [string, ...string[]];
    this.#name = name;
    this.#settings = settings;
    // A session of its own: Ctrl-C in the terminal is for us, and we decide when the program ends.
    this.#process = spawn(program, programArguments, { detached: true });
    this.#process.stdout.resume();
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#messages = (this.#messages + text).slice(-KEPT_MESSAGE_LENGTH);
    });
    // A program that ends early closes its input; its exit status tells why.
    this.#process.stdin.on('error', () => {});
    this.#ended = this.#watch();
  }

  async encode(rgb: Uint8Array): Promise<void> {
    const { width, height } = this.#settings;
    const hasRoom = this.#process.stdin.write(rgbToI420(rgb, width, height));
    if (!hasRoom) await this.#drained();
    if (this.#failure) throw this.#failure;
  }

  async finish(): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
    if (this.#failure) throw this.#failure;
  }

  async abort(): Promise<void> {
    this.#kill();
    await this.#ended;
  }

  /** Ends the program and all that it started, which holds its pipes open. */
  #kill(): void {
    const { pid } = this.#process;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      this.#process.kill('SIGKILL');
    }
  }

  async #drained(): Promise<void> {
    const left = new AbortController();
    const drained = once(this.#process.stdin, 'drain', { signal: left.signal }).catch(() => {});
    await Promise.race([drained, this.#ended]);
    left.abort();
  }

  async #watch(): Promise<void> {
    try {
      const [status, signal] = (await once(this.#process, 'close')) as [
        number | null,
        string | null,
      ];
      // ffmpeg 5.1 ends with 0 when the disk is full as it writes the index, and without -xerror at any time.
      if (status !== 0 || FULL_DISK.test(this.#messages)) {
        this.#failure = this.#error(`exit status ${status ?? signal}: ${this.#messages.trim()}`);
      }
    } catch (cause) {
      this.#failure = this.#error('a program that cannot be started', cause);
    }
  }

  #error(problem: string, cause?: unknown): FramePackError {
    const message = `${this.#name}: video expected to be encoded, got ${problem}`;
    return new FramePackError('ERR_OUTPUT', message, { encoder: this.#name }, cause);
  }
}
