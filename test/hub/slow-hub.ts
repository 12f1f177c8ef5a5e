import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FakeHub, type HubFile } from './fake-hub.ts';

const PROGRAM = fileURLToPath(new URL('programs/pull.ts', import.meta.url));
const PIECE_BYTES = 8192;
const PIECE_MS = 4;

/** A process that pulls. */
export interface PullProcess {
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** What it has printed so far. */
  output(): string;
  /** Kills the process once the hub has sent that many bytes more. */
  killAfter(bytes: number): Promise<void>;
}

/** A hub that sends one file so slowly that processes can be killed in the middle. */
export class SlowHub implements AsyncDisposable {
  static readonly partBytes: number = 1 << 18;
  /** Bytes sent so far. */
  drippedBytes = 0;
  /** While true the hub keeps its connections open and sends nothing. */
  isHeld = false;
  private readonly hub: FakeHub;
  private readonly cacheFolder: string;

  private constructor(hub: FakeHub, cacheFolder: string, file: HubFile) {
    this.hub = hub;
    this.cacheFolder = cacheFolder;
    const { partBytes } = SlowHub;
    const { length } = file.bytes;
    hub.fault = ({ start }, response) => {
      const end = Math.min(length, (Math.floor(start / partBytes) + 1) * partBytes);
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${length}` });
      void this.drip(response, file.bytes.subarray(start, end));
      return 'handled';
    };
  }

  static async start(file: HubFile): Promise<SlowHub> {
    const hub = await FakeHub.start({ 'owner/model': [file] });
    return new SlowHub(hub, await mkdtemp(path.join(tmpdir(), 'framepack-hub-')), file);
  }

  get blobFolder(): string {
    return path.join(this.cacheFolder, 'models--owner--model', 'blobs');
  }

  /** Starts a process that pulls the file. */
  pull(): PullProcess {
    const settings = [this.hub.endpoint, this.cacheFolder, String(SlowHub.partBytes)];
    const args = ['--import', 'tsx', PROGRAM, ...settings];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const ended = once(child, 'exit').then(([code]) => ({ code, output }));
    return { ended, output: () => output, killAfter: (bytes) => this.killAfter(child, bytes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    await rm(this.cacheFolder, { recursive: true, force: true });
  }

  private async killAfter(child: ChildProcess, bytes: number): Promise<void> {
    const target = this.drippedBytes + bytes;
    while (this.drippedBytes < target && child.exitCode === null) await sleep(2);
    if (child.exitCode !== null) throw new Error('the process ended before it was killed');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  private async drip(response: ServerResponse, bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length && !response.destroyed; offset += PIECE_BYTES) {
      while (this.isHeld) await sleep(PIECE_MS);
      const piece = bytes.subarray(offset, offset + PIECE_BYTES);
      response.write(piece);
      this.drippedBytes += piece.length;
      await sleep(PIECE_MS);
    }
    response.end();
  }
}
