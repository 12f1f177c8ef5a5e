import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CachedRepository } from '../../src/hub/cache/cached-repository.ts';
import {
  type PullEvent,
  type PulledRepository,
  type PullOptions,
  pullTuned,
} from '../../src/hub/pull.ts';
import { FakeHub, type HubFile, noise } from './fake-hub.ts';

/** Bytes of a part. */
export const PART = 4096;

const TUNING = { stallMs: 400, retries: 6, retryMs: 1, partBytes: PART };

/** The large file of the small repository: eleven parts. */
export const weights: HubFile = {
  path: 'weights.safetensors',
  bytes: noise(10 * PART + 123),
  isLfs: true,
};
export const config: HubFile = {
  path: 'vae/config.json',
  bytes: Buffer.from('{"a": 1}'),
  isLfs: false,
};
export const empty: HubFile = { path: 'empty.txt', bytes: Buffer.alloc(0), isLfs: false };

/** A hub with one small repository, `owner/model`, and an empty cache. */
export class PullBench implements AsyncDisposable {
  readonly hub: FakeHub;
  readonly cacheFolder: string;
  readonly events: PullEvent[] = [];

  private constructor(hub: FakeHub, cacheFolder: string) {
    this.hub = hub;
    this.cacheFolder = cacheFolder;
  }

  static async start(files: readonly HubFile[] = [weights, config, empty]): Promise<PullBench> {
    const hub = await FakeHub.start({ 'owner/model': files });
    return new PullBench(hub, await mkdtemp(path.join(tmpdir(), 'framepack-hub-')));
  }

  /** Pulls in small parts with short waits. */
  pull(options: PullOptions = {}, source = 'owner/model'): Promise<PulledRepository[]> {
    const { cacheFolder, events, hub } = this;
    const onEvent = (event: PullEvent): void => void events.push(event);
    const settings = { endpoint: hub.endpoint, cacheFolder, onEvent, ...options };
    return pullTuned(source, settings, TUNING);
  }

  /** Bytes of a pulled file. */
  read(file: HubFile): Buffer {
    const cached = new CachedRepository(this.cacheFolder, 'owner/model');
    return readFileSync(path.join(cached.findSnapshot('main')!, file.path));
  }

  get blobFolder(): string {
    return path.join(this.cacheFolder, 'models--owner--model', 'blobs');
  }

  /** Names in the folder of the blobs. */
  blobs(): string[] {
    return readdirSync(this.blobFolder).toSorted();
  }

  eventsOf(type: PullEvent['type']): PullEvent[] {
    return this.events.filter((event) => event.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    await rm(this.cacheFolder, { recursive: true, force: true });
  }
}
