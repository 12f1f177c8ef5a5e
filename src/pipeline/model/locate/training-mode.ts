import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import type { CheckpointMode } from '../../../weights/checkpoint-info.ts';
import {
  type CheckpointFileOptions,
  openCheckpointFiles,
} from '../../../weights/files/checkpoint-files.ts';
import { isFolder, readJson } from '../../../weights/model-folder.ts';

/** What the released transformers and the files made of them are called. */
const MARKS: readonly (readonly [name: RegExp, mode: CheckpointMode])[] = [
  [/framepack[-_ .]?f1(?![0-9])/i, 'f1'],
  [/framepack[-_ .]?i2v/i, 'i2v'],
];

/** Metadata of weights, and fields of `config.json`, that name what the weights are or were made from. */
const NAMING_METADATA = ['modelspec.title', 'modelspec.architecture', 'general.name', 'name'];
const NAMING_FIELDS = ['_name_or_path', 'name'];

/** Folders above the weights whose names may tell: those of a repository's snapshot in the cache are three. */
const NUM_FOLDERS = 3;

/**
 * The mode that a transformer was trained for, by the metadata of its files, its configuration and the names of both
 * and of their folders. The tensors of both modes are alike.
 *
 * @param path - its file or folder.
 * @returns null when nothing tells, or when two things tell different modes.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` for files that are damaged.
 */
export function trainingMode(path: string, options: CheckpointFileOptions): CheckpointMode | null {
  const tensors = openCheckpointFiles(path, options).values();
  const files = new Set([...tensors].map(({ file }) => file));
  const folder = isFolder(path) ? path : dirname(path);
  const texts = [
    ...[...files].flatMap(({ header }) => NAMING_METADATA.map((key) => header.metadata.get(key))),
    ...configTexts(join(folder, 'config.json')),
    ...[...files].map((file) => basename(file.path)),
    ...[folder, realpathSync(folder)].flatMap((name) => name.split(sep).slice(-NUM_FOLDERS)),
  ];
  const modes = new Set(texts.flatMap((text) => modesIn(text ?? '')));
  return modes.size === 1 ? [...modes][0]! : null;
}

function modesIn(text: string): CheckpointMode[] {
  return MARKS.filter(([name]) => name.test(text)).map(([, mode]) => mode);
}

function configTexts(file: string): string[] {
  if (!existsSync(file)) return [];
  const config = Object(readJson(file)) as Record<string, unknown>;
  return NAMING_FIELDS.map((field) => config[field]).filter((text) => typeof text === 'string');
}
