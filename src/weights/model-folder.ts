import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FramePackError } from '../errors.ts';
import { isGgmlType } from '../ops/ggml.ts';
import type { Device } from '../tensor/device.ts';
import { sizeOf } from '../tensor/shape.ts';
import { Checkpoint } from './checkpoint.ts';
import { type CheckpointInfo, parseCheckpointInfo } from './checkpoint-info.ts';
import { type CheckpointFileOptions, openCheckpointFiles } from './files/checkpoint-files.ts';
import { readTextFile } from './files/text-file.ts';
import { variantsAmong } from './files/weight-variants.ts';
import { OFFICIAL_CONFIGS } from './official/configs.ts';
import { officialInfo } from './official/description.ts';

const CONFIG_FILE = 'config.json';
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

const PARTS: readonly ModelPart[] = [
  ...NETWORKS,
  'tokenizer',
  'tokenizer_2',
  'feature_extractor',
  'scheduler',
];

/** File or folder of every part that was found. */
export type PartPaths = Readonly<Partial<Record<ModelPart, string>>>;

/** What a model is and where its parts lie. */
export interface ModelLayout {
  /** What to call the model in messages: a path or a repository. */
  readonly source: string;
  readonly info: CheckpointInfo;
  readonly parts: PartPaths;
  /** Parts of the model, whose configurations those have that are used in their place and come without. */
  readonly replaced?: PartPaths;
}

/** The parts of a model on disk, in one folder or in several places. */
export class ModelFolder {
  /** What to call the model in messages: a path or a repository. */
  readonly source: string;
  /** From `framepack.json`, or the constants of the official 13B model where there is none. */
  readonly info: CheckpointInfo;
  /** Which of the files of a part are opened. */
  readonly files: CheckpointFileOptions;
  private readonly parts: PartPaths;
  private readonly replaced: PartPaths;

  private constructor(layout: ModelLayout, files: CheckpointFileOptions) {
    const { source, info, parts, replaced = {} } = layout;
    this.source = source;
    this.info = info;
    this.parts = parts;
    this.replaced = replaced;
    this.files = files;
  }

  /**
   * Opens a local folder in the Hugging Face pipeline layout: a subfolder for each part.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no such folder or `framepack.json` is invalid.
   */
  static async open(folder: string, files: CheckpointFileOptions = {}): Promise<ModelFolder> {
    const parts = partFolders(folder);
    if (parts.transformer === undefined) {
      throw fault(folder, 'expected a model folder with a folder transformer/, got none');
    }
    const info = readInfo(folder) ?? officialInfo(['i2v', 'f1'], null);
    return ModelFolder.of({ source: folder, info, parts }, files);
  }

  /**
   * A model whose parts have been found.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when no part has the variant that is asked for.
   */
  static of(layout: ModelLayout, files: CheckpointFileOptions = {}): ModelFolder {
    const model = new ModelFolder(layout, files);
    model.checkVariant();
    return model;
  }

  /** Whether a part is there. */
  has(part: ModelPart): boolean {
    return this.parts[part] !== undefined;
  }

  /** File or folder of a part. @throws {@link FramePackError} `ERR_CHECKPOINT` when it is missing. */
  path(part: ModelPart): string {
    const path = this.parts[part];
    if (path === undefined) throw fault(this.source, `expected the part ${part}, got none`);
    return path;
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
    const paths = NETWORKS.filter((part) => this.has(part)).map((part) => this.path(part));
    const found = paths.flatMap((path) =>
      variantsAmong(isFolder(path) ? readdirSync(path) : [basename(path)]),
    );
    if (found.includes(variant)) return;
    const names = [...new Set(found)].join(', ') || 'none';
    throw fault(this.source, `variant ${variant} expected in some part, got ${names}`);
  }

  /**
   * Bytes that the weights of a network take when they are loaded: those of its files, in which other networks may be too;
   * blocks of ggml are held as 16-bit numbers.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when they are missing or damaged.
   */
  weightBytes(part: ModelPart): number {
    const tensors = [...openCheckpointFiles(this.path(part), this.files).values()];
    const files = new Set(tensors.map(({ file }) => file.path));
    const stored = [...files].reduce((sum, file) => sum + statSync(file).size, 0);
    return tensors
      .filter(({ entry }) => isGgmlType(entry.storedType))
      .reduce((sum, { entry }) => sum + 2 * sizeOf(entry.shape) - entry.byteLength, stored);
  }

  /**
   * The unvalidated configuration of a network: its own, else that of the part in whose place it is used, or that of the
   * released model.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no JSON, or the part is missing.
   */
  readConfig(part: ModelPart): unknown {
    const file = this.configFile(part);
    if (file !== null) return readJson(file);
    const configs: Partial<Record<ModelPart, unknown>> = OFFICIAL_CONFIGS;
    return configs[part];
  }

  /**
   * Path of a part's `config.json`, in its folder or beside its file, else in the folder of the part in whose place it is
   * used; null when there is none. In a folder with files of several networks it may be that of any, and is that of none.
   */
  configFile(part: ModelPart): string | null {
    const path = this.path(part);
    const own = this.ownConfigFile(part, path);
    const replaced = this.replaced[part];
    if (own !== null || replaced === undefined || replaced === path) return own;
    const file = join(replaced, CONFIG_FILE);
    return isFolder(replaced) && existsSync(file) ? file : null;
  }

  private ownConfigFile(part: ModelPart, path: string): string | null {
    const folder = isFolder(path) ? path : dirname(path);
    const others = Object.entries(this.parts).filter(([name]) => name !== part);
    const isShared = others.some(([, other]) => !isFolder(other) && dirname(other) === folder);
    const file = join(folder, CONFIG_FILE);
    return existsSync(file) && !(isShared && !isFolder(path)) ? file : null;
  }
}

/** Folders of the parts that a folder in the Hugging Face pipeline layout has. */
export function partFolders(folder: string): PartPaths {
  const found = PARTS.map((part) => [part, join(folder, part)] as const);
  return Object.fromEntries(found.filter(([, path]) => isFolder(path)));
}

/**
 * What a model folder's `framepack.json` says; null without one.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is invalid.
 */
export function readInfo(folder: string): CheckpointInfo | null {
  const file = join(folder, INFO_FILE);
  return existsSync(file) ? parseCheckpointInfo(readJson(file), file) : null;
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

/** Whether a path is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function fault(path: string, text: string, cause?: unknown): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path }, cause);
}
