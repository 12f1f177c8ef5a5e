import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { FramePackError } from '../errors.ts';
import { lockBlob } from './cache/blob-lock.ts';
import { CachedRepository } from './cache/cached-repository.ts';
import { allocatedBytes, freeBytesOf } from './cache/free-space.ts';
import { type DownloadShape, FileDownload, partFileOf } from './download/download-file.ts';
import { TransferRate } from './download/transfer-rate.ts';
import { DEFAULT_PATIENCE, HubClient, type Patience } from './http.ts';
import { type HubOverrides, type HubSettings, hubSettings } from './hub-settings.ts';
import { listRepository, type RepositoryFile } from './repository.ts';
import { parseSource, type RepositoryRequest } from './source.ts';

/** What is known before the first byte. */
export interface PullPlanEvent {
  readonly type: 'plan';
  readonly numFiles: number;
  readonly totalBytes: number;
  /** Bytes that are not in the cache yet. */
  readonly missingBytes: number;
  /** Free on the disk of the cache. */
  readonly freeBytes: number;
  readonly cacheFolder: string;
}

/** Bytes have arrived; at most four times a second. */
export interface PullProgressEvent {
  readonly type: 'progress';
  readonly file: string;
  /** Of all files, those of the cache included. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Null until there is something to measure. */
  readonly bytesPerSecond: number | null;
  readonly etaMs: number | null;
}

/** A file is complete and its digest right. */
export interface PullFileEvent {
  readonly type: 'file';
  readonly file: string;
  readonly size: number;
  /** Whether it was there before. */
  readonly wasCached: boolean;
}

/** A request failed and is made again. */
export interface PullRetryEvent {
  readonly type: 'retry';
  readonly file: string;
  readonly reason: string;
  readonly waitMs: number;
}

/** The digest of a file is being computed, or another process is fetching it. */
export interface PullWaitEvent {
  readonly type: 'verify' | 'wait';
  readonly file: string;
}

export type PullEvent =
  | PullPlanEvent
  | PullProgressEvent
  | PullFileEvent
  | PullRetryEvent
  | PullWaitEvent;

/** How to pull; everything has a default, most from the variables of Hugging Face's own programs. */
export interface PullOptions extends HubOverrides {
  readonly onEvent?: ((event: PullEvent) => void) | undefined;
  /** Stops at once; what has arrived is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Parts that are fetched at once, 1 to 32; default 4. */
  readonly connections?: number | undefined;
}

/** Where the files are. */
export interface PulledRepository {
  readonly repository: string;
  readonly commit: string;
  /** Folder of the files, in the Hugging Face cache. */
  readonly folder: string;
  /** What was asked for, relative to the folder. */
  readonly files: readonly string[];
}

/** Sizes and times that tests make small. */
export interface PullTuning extends Patience {
  readonly partBytes: number;
}

const DEFAULT_TUNING: PullTuning = { ...DEFAULT_PATIENCE, partBytes: 64 * 2 ** 20 };
const DEFAULT_CONNECTIONS = 4;
const MAX_CONNECTIONS = 32;

/**
 * Fetches a released model, a repository or a file into the cache that all Hugging Face programs share.
 *
 * What is there already is not fetched again. A download that was stopped, killed or cut off goes on where it was, and
 * every file is checked against the digest that the hub lists before it gets its name. Two processes may pull the same
 * files; one fetches, the other waits. Files that the hub keeps in Xet are fetched through its plain HTTP bridge, whose
 * bytes have the same SHA-256.
 *
 * @param source - `lllyasviel/FramePackI2V_HY`, `owner/name@revision`, `owner/name/file`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`; `ERR_DOWNLOAD` for all that can go wrong on the way, a full disk
 *   before the first byte; `ERR_ABORTED`.
 * @example
 * await pull('lllyasviel/FramePackI2V_HY', { onEvent: (event) => console.log(event) });
 */
export async function pull(source: string, options: PullOptions = {}): Promise<PulledRepository[]> {
  return pullTuned(source, options, DEFAULT_TUNING);
}

/** {@link pull} with sizes and times of the caller's. */
export async function pullTuned(
  source: string,
  options: PullOptions,
  tuning: PullTuning,
): Promise<PulledRepository[]> {
  const { connections = DEFAULT_CONNECTIONS } = options;
  if (!Number.isInteger(connections) || connections < 1 || connections > MAX_CONNECTIONS) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `pull: connections expected 1 to ${MAX_CONNECTIONS}, got ${connections}`,
    );
  }
  const settings = hubSettings(options);
  const requests = parseSource(source, settings.endpoint);
  if (settings.isOffline) return requests.map((request) => cachedOnly(settings, request));
  const signal = options.signal ?? new AbortController().signal;
  const { partBytes, ...patience } = tuning;
  const run = new PullRun({
    client: new HubClient(settings, patience),
    shape: { partBytes, connections },
    emit: options.onEvent ?? (() => {}),
    signal,
  });
  try {
    return await run.pull(requests);
  } catch (error) {
    if (!signal.aborted) throw error;
    const message = 'pull: aborted; what has arrived is kept';
    throw new FramePackError('ERR_ABORTED', message, {}, signal.reason);
  }
}

function cachedOnly(
  { cacheFolder }: HubSettings,
  { repository, revision, wants }: RepositoryRequest,
): PulledRepository {
  const cached = new CachedRepository(cacheFolder, repository);
  const commit = cached.commitOf(revision);
  const folder = cached.findSnapshot(revision);
  if (commit !== null && folder !== null) {
    return { repository, commit, folder, files: filesIn(folder).filter(wants) };
  }
  const message = `pull: ${repository}@${revision} is not in ${cacheFolder}, and HF_HUB_OFFLINE forbids to ask the hub`;
  throw new FramePackError('ERR_DOWNLOAD', message, { repository, cacheFolder });
}

/** Paths of all files below a folder, links to files included. */
function filesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return all.filter((name) => statSync(path.join(folder, name)).isFile()).toSorted();
}

interface PullParts {
  readonly client: HubClient;
  readonly shape: DownloadShape;
  readonly emit: (event: PullEvent) => void;
  readonly signal: AbortSignal;
}

/** A file with its place in the cache. */
interface PlannedFile {
  readonly cached: CachedRepository;
  readonly commit: string;
  readonly repository: string;
  readonly file: RepositoryFile;
  readonly blobPath: string;
}

/** One call of {@link pull}. */
class PullRun {
  private readonly parts: PullParts;
  private readonly rate: TransferRate = new TransferRate();
  private bytes = 0;
  private totalBytes = 0;

  constructor(parts: PullParts) {
    this.parts = parts;
  }

  async pull(requests: readonly RepositoryRequest[]): Promise<PulledRepository[]> {
    const { client, signal } = this.parts;
    const planned: PlannedFile[] = [];
    const pulled: (PulledRepository & { revision: string; cached: CachedRepository })[] = [];
    for (const { repository, revision, wants } of requests) {
      const listing = await listRepository(client, repository, revision, signal);
      const cached = new CachedRepository(client.settings.cacheFolder, repository);
      const { commit } = listing;
      const files = listing.files.filter((file) => wants(file.path));
      if (files.length === 0) {
        const message = `pull: ${repository}@${revision} has no such file`;
        throw new FramePackError('ERR_DOWNLOAD', message, { repository, revision });
      }
      for (const file of files) {
        const blobPath = cached.blobPath(file.digest.hex);
        planned.push({ cached, commit, repository, file, blobPath });
      }
      const folder = cached.snapshotFolder(commit);
      const names = files.map(({ path: name }) => name);
      pulled.push({ repository, commit, folder, files: names, revision, cached });
    }
    await this.checkRoom(planned);
    for (const plan of planned) await this.fetch(plan);
    for (const { cached, revision, commit } of pulled) await cached.remember(revision, commit);
    return pulled.map(({ revision: _, cached: __, ...repository }) => repository);
  }

  private async checkRoom(planned: readonly PlannedFile[]): Promise<void> {
    const { client, emit } = this.parts;
    const { cacheFolder } = client.settings;
    const missing = planned.filter(({ blobPath }) => !existsSync(blobPath));
    const sizes = new Map(missing.map(({ blobPath, file }) => [blobPath, file.size]));
    const missingBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    this.totalBytes = planned.reduce((sum, { file }) => sum + file.size, 0);
    const freeBytes = await freeBytesOf(cacheFolder);
    const { totalBytes } = this;
    const numFiles = planned.length;
    emit({ type: 'plan', numFiles, totalBytes, missingBytes, freeBytes, cacheFolder });
    const neededBytes = missingBytes - (await allocatedBytes([...sizes.keys()].map(partFileOf)));
    if (neededBytes <= freeBytes) return;
    throw new FramePackError(
      'ERR_DOWNLOAD',
      `pull: ${cacheFolder} expected ${neededBytes} bytes of free space, got ${freeBytes}; make room or set HF_HOME to another disk`,
      { neededBytes, freeBytes },
    );
  }

  private async fetch({ cached, commit, repository, file, blobPath }: PlannedFile): Promise<void> {
    const { client, shape, emit, signal } = this.parts;
    const { path: name, size } = file;
    await cached.prepare();
    const wait = (): void => emit({ type: 'wait', file: name });
    let wasCached = existsSync(blobPath);
    if (!wasCached) {
      await using _lock = await lockBlob(blobPath, wait, signal);
      wasCached = existsSync(blobPath);
      if (!wasCached) {
        const escaped = name.split('/').map(encodeURIComponent).join('/');
        const address = `${client.settings.endpoint}/${repository}/resolve/${commit}/${escaped}`;
        const observer = {
          arrived: (count: number) => this.progress(name, count),
          adjusted: (count: number) => {
            this.bytes += count;
          },
          retry: (reason: string, waitMs: number) =>
            emit({ type: 'retry', file: name, reason, waitMs }),
          verify: () => emit({ type: 'verify', file: name }),
        };
        await new FileDownload(client, { address, file, blobPath }, shape, observer).run(signal);
      }
    }
    if (wasCached) this.bytes += size;
    await cached.link(commit, name, file.digest.hex);
    emit({ type: 'file', file: name, size, wasCached });
  }

  private progress(file: string, count: number): void {
    this.bytes += count;
    if (!this.rate.add(count)) return;
    const { bytes, totalBytes } = this;
    const { bytesPerSecond } = this.rate;
    const etaMs = bytesPerSecond
      ? Math.round(((totalBytes - bytes) / bytesPerSecond) * 1000)
      : null;
    this.parts.emit({ type: 'progress', file, bytes, totalBytes, bytesPerSecond, etaMs });
  }
}
