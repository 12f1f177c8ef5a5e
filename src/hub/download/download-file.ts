import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { FramePackError } from '../../errors.ts';
import { type HubClient, readBody, type Stall, TransientError } from '../http.ts';
import type { RepositoryFile } from '../repository.ts';
import { digestOfFile } from './digest.ts';
import {
  bytesWritten,
  emptyState,
  type PartState,
  partSize,
  readState,
  removeState,
  writeState,
} from './part-state.ts';

/** What to fetch, from where, to where. */
export interface DownloadTarget {
  readonly address: string;
  readonly file: RepositoryFile;
  /** Where the verified bytes appear. */
  readonly blobPath: string;
}

/** How a file is cut. */
export interface DownloadShape {
  /** Bytes of a part; a killed download fetches less than this again. */
  readonly partBytes: number;
  /** Parts that are fetched at once. */
  readonly connections: number;
}

/** Sees a download; all calls are made in order. */
export interface DownloadObserver {
  /** Bytes came from the network. */
  arrived(count: number): void;
  /** Bytes of an earlier run were taken over; negative when bytes were discarded. */
  adjusted(count: number): void;
  retry(reason: string, waitMs: number): void;
  verify(): void;
}

/** Where the bytes of an unfinished blob lie. */
export function partFileOf(blobPath: string): string {
  return `${blobPath}.framepack-part`;
}

/** The bytes are not those that earlier parts belong to, or not those of the listing. */
class ContentChanged extends Error {}

/** The server sends the whole file whatever part is asked for. */
class RangesIgnored extends Error {}

const POINTER = 'version https://git-lfs';

/**
 * Fetches one file in parts, several at once. Whatever has arrived survives a crash: the bytes lie in
 * `<blob>.framepack-part`, which of them are valid in a file beside it, and the next run goes on from there. The file
 * gets its name only when its digest is right; a wrong one is fetched once more, its bytes stay as `<blob>.corrupt`.
 */
export class FileDownload {
  private readonly client: HubClient;
  private readonly target: DownloadTarget;
  private readonly shape: DownloadShape;
  private readonly observer: DownloadObserver;
  private readonly partFile: string;
  private readonly stateFile: string;
  private state: PartState;
  private saved = 0;
  private saving: Promise<void> = Promise.resolve();
  private takesWholeFile = false;

  constructor(
    client: HubClient,
    target: DownloadTarget,
    shape: DownloadShape,
    observer: DownloadObserver,
  ) {
    this.client = client;
    this.target = target;
    this.shape = shape;
    this.observer = observer;
    this.partFile = partFileOf(target.blobPath);
    this.stateFile = `${this.partFile}.json`;
    this.state = emptyState(target.file.size, shape.partBytes);
  }

  /**
   * @throws {@link FramePackError} `ERR_DOWNLOAD`. What has arrived is kept.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.takeOver();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.fetchParts(signal);
        this.observer.verify();
        await this.verify(signal);
        await rename(this.partFile, this.target.blobPath);
        await removeState(this.stateFile);
        return;
      } catch (error) {
        if (error instanceof RangesIgnored && !this.takesWholeFile) {
          this.takesWholeFile = true;
          await this.discard(this.target.file.size || 1);
        } else if (error instanceof ContentChanged && attempt === 1) {
          await this.discard(this.shape.partBytes);
        } else throw this.explain(error);
      }
    }
  }

  /** Bytes an earlier run left for this file. */
  private async takeOver(): Promise<void> {
    const { size } = this.target.file;
    const left = await stat(this.partFile).catch(() => null);
    const state = left?.size === size ? await readState(this.stateFile, size) : null;
    if (state === null) return;
    this.state = state;
    this.observer.adjusted(bytesWritten(state));
  }

  private async discard(partBytes: number): Promise<void> {
    this.observer.adjusted(-bytesWritten(this.state));
    this.state = emptyState(this.target.file.size, partBytes);
    await removeState(this.stateFile);
    await rm(this.partFile, { force: true });
  }

  private async fetchParts(signal: AbortSignal): Promise<void> {
    const handle = await open(this.partFile, 'r+').catch(() => open(this.partFile, 'w+'));
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const pending = this.state.written.keys();
    const fetchSome = async (): Promise<void> => {
      for (const index of pending) await this.fetchPart(index, handle, both);
    };
    try {
      await handle.truncate(this.target.file.size);
      const workers = Array.from({ length: this.takesWholeFile ? 1 : this.shape.connections }, () =>
        fetchSome().catch((error: unknown) => {
          failed.abort(error);
          throw error;
        }),
      );
      const ends = await Promise.allSettled(workers);
      const first = ends.some(({ status }) => status === 'rejected');
      if (first) throw signal.aborted ? signal.reason : failed.signal.reason;
    } finally {
      await this.save(handle).catch(() => {});
      await handle.close();
    }
  }

  private fetchPart(index: number, handle: FileHandle, signal: AbortSignal): Promise<void> {
    const onRetry = (reason: string, waitMs: number): void => this.observer.retry(reason, waitMs);
    return this.client.persist(
      async (onProgress) => {
        const missing = partSize(this.state, index) - this.state.written[index]!;
        if (missing === 0) return;
        signal.throwIfAborted();
        using stall = this.client.stall(signal);
        const response = await this.request(index, stall);
        for await (const chunk of readBody(response, stall)) {
          await this.write(index, chunk, handle);
          onProgress();
        }
        if (this.state.written[index] === partSize(this.state, index)) return;
        throw new TransientError(`${this.target.file.path}: the body ended early`);
      },
      { signal, onRetry },
    );
  }

  private async request(index: number, stall: Stall): Promise<Response> {
    const { state, takesWholeFile } = this;
    if (takesWholeFile) {
      this.observer.adjusted(-state.written[index]!);
      state.written[index] = 0;
    }
    const start = index * state.partBytes + state.written[index]!;
    const end = index * state.partBytes + partSize(state, index) - 1;
    const headers = {
      'accept-encoding': 'identity',
      ...(!takesWholeFile && { range: `bytes=${start}-${end}` }),
    };
    const { response, etag } = await this.client.get(this.target.address, headers, stall);
    await this.checkAnswer(response, start, end);
    if (state.etag !== null && etag !== null && etag !== state.etag) {
      await response.body?.cancel();
      throw new ContentChanged('the file changed on the server while it was fetched');
    }
    state.etag ??= etag;
    return response;
  }

  private async checkAnswer(response: Response, start: number, end: number): Promise<void> {
    const { size, path } = this.target.file;
    if (isForeign(response, path, size)) {
      const message = `pull: ${path} expected ${size} bytes, got ${await content(response)}`;
      throw new FramePackError('ERR_DOWNLOAD', message, { path });
    }
    const isWhole = response.status === 200 && start === 0 && end === size - 1;
    if (isWhole || isRange(response, { start, end, size })) return;
    await response.body?.cancel();
    if (response.status === 200) throw new RangesIgnored();
    throw new ContentChanged(`the server has no bytes ${start} to ${end} of ${size}`);
  }

  private async write(index: number, chunk: Uint8Array, handle: FileHandle): Promise<void> {
    // No connection runs ahead of what is recorded.
    await this.saving;
    const { state } = this;
    const written = state.written[index]!;
    if (written + chunk.length > partSize(state, index)) {
      throw new TransientError(`${this.target.file.path}: more bytes than were asked for`);
    }
    let done = 0;
    while (done < chunk.length) {
      const position = index * state.partBytes + written + done;
      done += (await handle.write(chunk, done, chunk.length - done, position)).bytesWritten;
    }
    state.written[index] = written + chunk.length;
    this.observer.arrived(chunk.length);
    this.saved += chunk.length;
    // All connections together lose less than one part when the process is killed.
    if (this.saved >= this.shape.partBytes / 4) await this.save(handle);
  }

  /** Records what has arrived, after it is on the disk. */
  private save(handle: FileHandle): Promise<void> {
    this.saved = 0;
    this.saving = this.saving.then(async () => {
      const snapshot = { ...this.state, written: [...this.state.written] };
      await handle.datasync();
      await writeState(this.stateFile, snapshot);
    });
    return this.saving;
  }

  private async verify(signal: AbortSignal): Promise<void> {
    const { digest } = this.target.file;
    const hex = await digestOfFile(this.partFile, digest.kind, signal);
    if (hex === digest.hex) return;
    const quarantine = `${this.target.blobPath}.corrupt`;
    await rename(this.partFile, quarantine);
    throw new ContentChanged(
      `${digest.kind} digest expected ${digest.hex}, got ${hex}; the bytes are kept as ${quarantine}`,
    );
  }

  private explain(error: unknown): unknown {
    const { path, size } = this.target.file;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      const missing = size - bytesWritten(this.state);
      const message = `pull: ${path}: the disk is full, ${missing} bytes are missing; make room and pull again, what has arrived is kept`;
      return new FramePackError('ERR_DOWNLOAD', message, { missingBytes: missing }, error);
    }
    if (!(error instanceof ContentChanged || error instanceof RangesIgnored)) return error;
    return new FramePackError('ERR_DOWNLOAD', `pull: ${path}: ${error.message}`, { path }, error);
  }
}

/** Whether a response is about something else than the file. */
function isForeign({ status, headers }: Response, path: string, size: number): boolean {
  const isPage = /^text\/html/i.test(headers.get('content-type') ?? '') && !/\.html?$/.test(path);
  const length = headers.get('content-length');
  return isPage || (status === 200 && length !== null && Number(length) !== size);
}

/** Whether a response is the range that was asked for, of a file of that size. */
function isRange(
  { status, headers }: Response,
  { start, end, size }: { start: number; end: number; size: number },
): boolean {
  const range = headers.get('content-range') ?? '';
  return (
    status === 206 && [`bytes ${start}-${end}/${size}`, `bytes ${start}-${end}/*`].includes(range)
  );
}

/** What a body that is not the file looks like. */
async function content(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  const start = Buffer.from(first?.value ?? [])
    .subarray(0, 512)
    .toString('latin1')
    .trimStart();
  if (start.startsWith(POINTER)) return 'a Git LFS pointer instead of the file';
  if (start.startsWith('<')) return 'a web page, such as a login form; is HF_ENDPOINT right?';
  return `${response.headers.get('content-length') ?? 'other'} bytes`;
}
