import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FramePackError } from '../errors.ts';
import {
  type CheckpointInfo,
  type CheckpointMode,
  parseCheckpointInfo,
} from './checkpoint-info.ts';
import { OFFICIAL_SOURCES, OFFICIAL_TRANSFORMERS, officialInfo } from './official.ts';

const MAX_JSON_BYTES = 64_000_000;
const INFO_FILE = 'framepack.json';

/** Parts of the pipeline, named as their folders are in the Hugging Face layout. */
export type ModelPart =
  | 'transformer'
  | 'vae'
  | 'text_encoder'
  | 'text_encoder_2'
  | 'image_encoder'
  | 'tokenizer'
  | 'tokenizer_2'
  | 'feature_extractor'
  | 'scheduler';

/** Where the Hugging Face cache is, as its own variables say; the caller reads the environment. */
export interface HubCache {
  /** `HF_HUB_CACHE`: the folder of `models--...` folders. Wins over `hfHome`. */
  readonly hubCache?: string;
  /** `HF_HOME`: its subfolder `hub` is the cache. */
  readonly hfHome?: string;
}

/** Finds the parts of a model on disk: one local folder, or the repositories of the official one in the cache. */
export class ModelFolder {
  /** What to call the model in messages: a path or a repository. */
  readonly source: string;
  /** From `framepack.json`, or the constants of the official 13B model where there is none. */
  readonly info: CheckpointInfo;
  private readonly locate: (part: ModelPart) => string;

  private constructor(source: string, info: CheckpointInfo, locate: (part: ModelPart) => string) {
    this.source = source;
    this.info = info;
    this.locate = locate;
  }

  /**
   * Opens a local folder in the Hugging Face pipeline layout: a subfolder for each part.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no such folder or `framepack.json` is invalid.
   */
  static async open(folder: string): Promise<ModelFolder> {
    if (!isFolder(join(folder, 'transformer'))) {
      throw fault(folder, 'expected a model folder with a folder transformer/, got none');
    }
    const infoFile = join(folder, INFO_FILE);
    const info = existsSync(infoFile)
      ? parseCheckpointInfo(readJson(infoFile), infoFile)
      : officialInfo(['i2v', 'f1']);
    return new ModelFolder(folder, info, (part) => join(folder, part));
  }

  /**
   * Opens the official model of a mode from the Hugging Face cache, where its parts lie in several repositories.
   * Nothing is downloaded; a part that is not there is reported when it is asked for.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the transformer is not in the cache.
   */
  static async openCached(cache: HubCache, mode: CheckpointMode): Promise<ModelFolder> {
    const transformer = snapshotFolder(cache, OFFICIAL_TRANSFORMERS[mode]);
    return new ModelFolder(OFFICIAL_TRANSFORMERS[mode], officialInfo([mode]), (part) => {
      const hub = OFFICIAL_SOURCES[part];
      return hub === undefined
        ? transformer
        : join(snapshotFolder(cache, hub.repository), hub.folder);
    });
  }

  /** Whether a part is there. */
  has(part: ModelPart): boolean {
    try {
      return isFolder(this.locate(part));
    } catch {
      return false;
    }
  }

  /** Folder of a part. @throws {@link FramePackError} `ERR_CHECKPOINT` when it is missing. */
  path(part: ModelPart): string {
    const folder = this.locate(part);
    if (!isFolder(folder))
      throw fault(this.source, `expected the part ${part} at ${folder}, got none`);
    return folder;
  }

  /** Parsed JSON file of a part, unvalidated; by default its `config.json`. */
  readJson(part: ModelPart, file: string = 'config.json'): unknown {
    return readJson(join(this.path(part), file));
  }
}

/**
 * Folder of a repository's snapshot in the Hugging Face cache (`models--org--name/snapshots/<commit>`).
 *
 * @param revision - a branch or tag that was downloaded, or a full commit id.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is not there; `ERR_ARGUMENT` for a name that could leave the
 *   cache.
 */
export function snapshotFolder(
  cache: HubCache,
  repository: string,
  revision: string = 'main',
): string {
  const root =
    cache.hubCache ?? (cache.hfHome === undefined ? undefined : join(cache.hfHome, 'hub'));
  if (root === undefined) throw fault(repository, 'expected a cache folder, got none');
  const isName = /^[\w.-]+\/[\w.-]+$/.test(repository) && !repository.includes('..');
  if (!isName || !/^[\w.-]+$/.test(revision) || revision.includes('..')) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `snapshotFolder: repository expected org/name and a revision, got ${repository} at ${revision}`,
    );
  }
  const folder = join(root, `models--${repository.replace('/', '--')}`);
  const reference = join(folder, 'refs', revision);
  const commit = existsSync(reference) ? readFileSync(reference, 'utf8').trim() : revision;
  const snapshot = join(folder, 'snapshots', commit);
  if (!/^[0-9a-f]{40}$/.test(commit) || !isFolder(snapshot)) {
    throw fault(repository, `expected a snapshot of ${revision} in ${root}, got none`);
  }
  return snapshot;
}

/**
 * Reads a small JSON file: a configuration or a tokenizer.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is missing, larger than 64 MB or no JSON.
 */
export function readJson(file: string): unknown {
  if (!existsSync(file) || !statSync(file).isFile()) throw fault(file, 'expected a file, got none');
  const { size } = statSync(file);
  if (size > MAX_JSON_BYTES) {
    throw fault(file, `expected at most ${MAX_JSON_BYTES} bytes, got ${size}`);
  }
  const text = readFileSync(file, 'utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const pointer = text.startsWith('version https://git-lfs') ? ', a Git LFS pointer' : '';
    throw fault(file, `expected JSON, got something else${pointer}`, cause);
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function fault(path: string, text: string, cause?: unknown): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path }, cause);
}
