import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const KEPT_ERROR_CHARACTERS = 2000;

/** A child process that answers every line of its input with one line of JSON. */
export class JsonLinesChild {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: AsyncIterator<string>;
  private readonly name: string;
  private errors = '';

  constructor(command: string, args: readonly string[]) {
    this.name = command;
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => {
      this.errors += error.message;
    });
    // A child that is gone is reported by the answer that does not come.
    this.child.stdin.on('error', () => undefined);
    this.child.stderr.on('data', (text) => {
      this.errors = (this.errors + String(text)).slice(-KEPT_ERROR_CHARACTERS);
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a line and waits for the answer. One request at a time. */
  request(line: string): Promise<unknown> {
    this.child.stdin.write(`${line}\n`);
    return this.next();
  }

  /** The next line that the child prints. @throws an `Error` with its last messages when it ended. */
  async next(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done)
      throw new Error(`${this.name}: expected an answer, got its end. ${this.errors.trim()}`);
    return JSON.parse(value);
  }

  /** Ends its input and waits until it has ended. */
  async close(): Promise<void> {
    this.child.stdin.end();
    if (this.child.exitCode === null && this.child.pid !== undefined) {
      await once(this.child, 'exit');
    }
  }
}
