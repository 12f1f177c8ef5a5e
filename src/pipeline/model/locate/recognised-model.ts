import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FramePackError } from '../../../errors.ts';
import {
  type CheckpointFileOptions,
  openCheckpointFiles,
} from '../../../weights/files/checkpoint-files.ts';
import { isFolder, type ModelPart, type PartPaths } from '../../../weights/model-folder.ts';
import { networksAmong } from '../../../weights/official/signatures.ts';
import { partFlag } from './part-fields.ts';

/** Folders of ComfyUI's `models` that hold one network a file; the first two tell that a folder is one. */
const COMFY_FOLDERS = [
  ...['diffusion_models', 'unet', 'diffusers'],
  ...['vae', 'text_encoders', 'clip', 'clip_vision'],
];
const NUM_TELLING = 2;
/** ComfyUI's own folder has them in `models`. */
const COMFY_PLACES = ['.', 'models'];
const MAX_DEPTH = 4;

const INDEX = /\.safetensors\.index(\.\w+)?\.json$/;
const WEIGHTS = /\.(safetensors|gguf)$/;
const SHARD = /-\d{5}-of-\d{5}(\.\w+)?\.safetensors$/;

/**
 * Finds the networks of the released model by what files hold, not by their names: in ComfyUI's `models` folder, in a
 * folder with weights, or in one file.
 *
 * @param known - parts that need not be found, because others are used for them.
 * @returns the parts that were found; null when the path is none of these.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when a part is there several times, or the path is a file without any.
 */
export function recognisedParts(
  path: string,
  known: PartPaths,
  options: CheckpointFileOptions,
): PartPaths | null {
  const files = candidates(path);
  if (files.length === 0) return null;
  const found = new Map<ModelPart, string[]>();
  const unreadable: FramePackError[] = [];
  for (const file of files) {
    const parts = partsOf(file, options);
    if (parts instanceof FramePackError) unreadable.push(parts);
    else for (const part of parts) found.set(part, [...(found.get(part) ?? []), file]);
  }
  if (found.size === 0) {
    if (files.length === 1 && unreadable.length === 1) throw unreadable[0]!;
    const reasons = unreadable.map(({ message }) => `; ${message}`).join('');
    const count = files.length === 1 ? 'it' : `its ${files.length} files`;
    throw fault(
      path,
      `expected weights of FramePack, got none of its networks in ${count}${reasons}`,
    );
  }
  refuseSeveral(
    path,
    [...found].filter(([part]) => known[part] === undefined),
  );
  return Object.fromEntries([...found].map(([part, [file]]) => [part, file]));
}

function refuseSeveral(path: string, found: readonly (readonly [ModelPart, string[]])[]): void {
  const several = found.filter(([, files]) => files.length > 1);
  if (several.length === 0) return;
  const texts = several.map(([part, files]) => `${partFlag(part)} ${files.join(' or ')}`);
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${path}: expected each network once, got several to choose from; give ${texts.join(', and ')}`,
    { path, several: Object.fromEntries(several) },
  );
}

/** The networks in a file, or why it cannot be read. */
function partsOf(file: string, options: CheckpointFileOptions): ModelPart[] | FramePackError {
  try {
    const tensors = openCheckpointFiles(file, options);
    return networksAmong((name) => tensors.get(name)?.entry.shape);
  } catch (error) {
    if (error instanceof FramePackError) return error;
    throw error;
  }
}

function candidates(path: string): string[] {
  if (!isFolder(path)) return [path];
  const comfy = COMFY_PLACES.map((place) => join(path, place)).find((place) =>
    COMFY_FOLDERS.slice(0, NUM_TELLING).some((folder) => isFolder(join(place, folder))),
  );
  if (comfy === undefined) return weightsIn(path, 0);
  const folders = COMFY_FOLDERS.map((folder) => join(comfy, folder)).filter(isFolder);
  return folders.flatMap((folder) => weightsIn(folder, MAX_DEPTH));
}

/** Weight files and indexes of shards in a folder and, so many levels deep, in those below it. */
function weightsIn(folder: string, depth: number): string[] {
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith('.') && existsSync(join(folder, name)))
    .toSorted();
  const indexes = names.filter((name) => INDEX.test(name));
  const files = names.filter(
    (name) => WEIGHTS.test(name) && !(indexes.length > 0 && SHARD.test(name)),
  );
  const folders = depth === 0 ? [] : names.filter((name) => isFolder(join(folder, name)));
  return [
    ...[...indexes, ...files].map((name) => join(folder, name)),
    ...folders.flatMap((name) => weightsIn(join(folder, name), depth - 1)),
  ];
}

function fault(path: string, text: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path });
}
