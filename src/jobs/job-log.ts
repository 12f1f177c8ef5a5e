import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { FramePackError } from '../errors.ts';

const NEWLINE = 0x0a;

/**
 * What happened in a job, one JSON object a line, appended. Every entry is handed to the system at once, so that a process
 * that is killed loses none. A disk that is full ends the log and not the run.
 */
export class JobLog implements Disposable {
  #descriptor: number | null;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Opens the log to append to it. A last line that a power cut tore is ended first.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT`.
   */
  static open(file: string): JobLog {
    try {
      const descriptor = openSync(file, 'a+');
      const { size } = fstatSync(descriptor);
      const last = new Uint8Array(1);
      if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
      if (size > 0 && last[0] !== NEWLINE) writeSync(descriptor, '\n');
      return new JobLog(descriptor);
    } catch (cause) {
      const message = `generate: job expected a log that can be written, got ${file}`;
      throw new FramePackError('ERR_OUTPUT', message, { file }, cause);
    }
  }

  /** Appends the time and the entry. Members that hold bytes are left out; numbers beyond 2^53 become text. */
  write(entry: object): void {
    if (this.#descriptor === null) return;
    const line = JSON.stringify({ time: new Date().toISOString(), ...entry }, asJson);
    try {
      writeSync(this.#descriptor, `${line}\n`);
    } catch {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

function asJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return undefined;
  const isPictures = Array.isArray(value) && value[0] instanceof Uint8Array;
  return isPictures ? undefined : value;
}
