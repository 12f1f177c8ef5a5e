import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FramePackError } from '../errors.ts';
import type { Device } from '../tensor/device.ts';
import { Checkpoint } from './checkpoint.ts';
import {
  type CheckpointInfo,
  type CheckpointMode,
  parseCheckpointInfo,
} from './checkpoint-info.ts';
import type { CheckpointFileOptions } from './files/checkpoint-files.ts';
import { readTextFile } from './files/text-file.ts';
import { variantsAmong } from './files/weight-variants.ts';
import { OFFICIAL_SOURCES, OFFICIAL_TRANSFORMERS, officialInfo } from './official/description.ts';

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

/** Parts that hold weights. */
export const NETWORKS: readonly ModelPart[] = [
  'transformer',
  'vae',
  'text_encoder',
  'text_encoder_2',
  'image_encoder',
];

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
  /** Which of the files of a part are opened. */
  readonly files: CheckpointFileOptions;
  private readonly locate: (part: ModelPart) => string;

  private constructor(
    source: string,
    info: CheckpointInfo,
    files: CheckpointFileOptions,
    locate: (part: ModelPart) => string,
  ) {
    this.source = source;
    this.info = info;
    this.files = files;
    this.locate = locate;
  }

  /**
   * Opens a local folder in the Hugging Face pipeline layout: a subfolder for each part.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no such folder or `framepack.json` is invalid.
   */
  static async open(folder: string, files: CheckpointFileOptions = {}): Promise<ModelFolder> {
    if (!isFolder(join(folder, 'transformer'))) {
      throw fault(folder, 'expected a model folder with a folder transformer/, got none');
    }
    const infoFile = join(folder, INFO_FILE);
    const info = existsSync(infoFile)
      ? parseCheckpointInfo(readJson(infoFile), infoFile)
      : officialInfo(['i2v', 'f1']);
    const model = new ModelFolder(folder, info, files, (part) => join(folder, part));
    model.checkVariant();
    return model;
  }

  /**
   * Opens the official model of a mode from the Hugging Face cache, where its parts lie in several repositories.
   * Nothing is downloaded; a part that is not there is reported when it is asked for.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the transformer is not in the cache.
   */
  static async openCached(cache: HubCache, mode: CheckpointMode): Promise<ModelFolder> {
    const transformer = snapshotFolder(cache, OFFICIAL_TRANSFORMERS[mode]);
    return new ModelFolder(OFFICIAL_TRANSFORMERS[mode], officialInfo([mode]), {}, (part) => {
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

  /**
   * The weights of a network.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when they are missing or damaged.
   */
  openWeights(device: Device, part: ModelPart): Promise<Checkpoint> {
    return Checkpoint.open(device, this.path(part), this.files);
  }

  /** A variant that no part has is a mistake; one that only some have is taken there. */
  private checkVariant(): void {
    const { variant = '' } = this.files;
    if (variant === '') return;
    const found = NETWORKS.filter((part) => this.has(part)).flatMap((part) =>
      variantsAmong(readdirSync(this.path(part))),
    );
    if (found.includes(variant)) return;
    const names = [...new Set(found)].join(', ') || 'none';
    throw fault(this.source, `variant ${variant} expected in some part, got ${names}`);
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
  const text = readTextFile(file, MAX_JSON_BYTES);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw fault(file, 'expected JSON, got something else', cause);
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function fault(path: string, text: string, cause?: unknown): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path }, cause);
}
