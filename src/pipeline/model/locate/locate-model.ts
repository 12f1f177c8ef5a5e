import { existsSync } from 'node:fs';
import { FramePackError } from '../../../errors.ts';
import { hubCacheFolder } from '../../../hub/hub-settings.ts';
import type { CheckpointInfo } from '../../../weights/checkpoint-info.ts';
import type { CheckpointFileOptions } from '../../../weights/files/checkpoint-files.ts';
import {
  isFolder,
  ModelFolder,
  type PartPaths,
  partFolders,
  readInfo,
} from '../../../weights/model-folder.ts';
import { officialInfo } from '../../../weights/official/description.ts';
import {
  cachedModel,
  markedName,
  releasedModel,
  repositoryAt,
  repositoryNamed,
  sharedParts,
  snapshotOf,
} from './cached-model.ts';
import type { FoundModel, ReleasedModel } from './found-model.ts';
import { refuseIncomplete } from './missing-parts.ts';
import { givenParts, type ModelParts } from './part-fields.ts';
import { recognisedParts } from './recognised-model.ts';
import { tokenizersBeside } from './tokenizer-folder.ts';
import { trainingMode } from './training-mode.ts';

/** What a model is opened from. */
export interface ModelSource extends CheckpointFileOptions {
  /** A path or a repository, as `LoadOptions` says. */
  readonly model?: string | undefined;
  /** Parts to use in place of the model's. */
  readonly parts?: ModelParts | undefined;
  /** Hugging Face cache in which repositories are looked for; default as its own programs find it. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Finds the parts of a model: in a model folder, in ComfyUI's, by a repository in the Hugging Face cache, or one by one.
 * What a released model needs besides, tokenizers too, is taken from beside the encoders, else from the cache. Reads
 * headers and configurations, and asks no network.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when parts are missing, with what `framepack pull` would fetch, or
 *   damaged; `ERR_ARGUMENT` for neither a model nor a transformer.
 * @example
 * const model = await locateModel({ model: 'lllyasviel/FramePackI2V_HY' });
 * console.log(model.path('vae'));
 */
export async function locateModel({
  model,
  parts: chosen = {},
  cacheFolder = hubCacheFolder(),
  ...files
}: ModelSource): Promise<ModelFolder> {
  const given = givenParts(chosen);
  const place = { cacheFolder, given, files };
  const found = model === undefined ? onlyGiven(place) : findModel(model, place);
  const { source, info, released } = found;
  const parts = {
    ...(info === null ? sharedParts(found.cacheFolder) : {}),
    ...tokenizersBeside(found.parts),
    ...found.parts,
    ...tokenizersBeside(given),
    ...given,
  };
  refuseIncomplete(found, parts);
  const known = given.transformer === undefined ? released : null;
  const layout = { source, parts, replaced: found.parts };
  return ModelFolder.of({ ...layout, info: info ?? infoOf(known, parts, files) }, files);
}

/** Where to look besides the path. */
interface Surroundings {
  readonly cacheFolder: string;
  readonly given: PartPaths;
  readonly files: CheckpointFileOptions;
}

function onlyGiven({ given, cacheFolder }: Surroundings): FoundModel {
  const { transformer } = given;
  if (transformer !== undefined) {
    return { source: transformer, parts: {}, info: null, released: null, cacheFolder };
  }
  const expected = 'a path, a repository, or parts with a transformer';
  throw new FramePackError('ERR_ARGUMENT', `model: expected ${expected}, got none`, {
    field: 'model',
  });
}

/** A path wins over a repository of the same name. */
function findModel(model: string, around: Surroundings): FoundModel {
  if (existsSync(model)) return modelAt(model, around);
  const named = repositoryNamed(model);
  if (named === null) {
    throw fault(
      model,
      'expected a path, or a repository such as lllyasviel/FramePackI2V_HY, got nothing there',
    );
  }
  const place = { ...named, cacheFolder: around.cacheFolder };
  const released = releasedModel(place);
  if (released !== null) return released;
  return { ...modelAt(snapshotOf(place), around), source: markedName(named) };
}

function modelAt(path: string, around: Surroundings): FoundModel {
  const { cacheFolder } = around;
  const folders = partFolders(path);
  if (folders.transformer !== undefined) {
    return { source: path, parts: folders, info: readInfo(path), released: null, cacheFolder };
  }
  const place = repositoryAt(path);
  const released = place === null ? null : releasedModel(place);
  if (released !== null) return released;
  const cached = isFolder(path) ? cachedModel(path) : null;
  if (cached !== null) return cached;
  const parts = recognisedParts(path, around.given, around.files);
  if (parts !== null) return { source: path, parts, info: null, released: null, cacheFolder };
  throw fault(
    path,
    'expected a model folder with a folder transformer/, weights, a models folder of ComfyUI or a Hugging Face cache, got none of them',
  );
}

/** The constants of the released model, for the mode that its files tell. */
function infoOf(
  released: ReleasedModel | null,
  { transformer }: PartPaths,
  files: CheckpointFileOptions,
): CheckpointInfo {
  if (released !== null) return officialInfo([released.set.mode], released.set.mode);
  return officialInfo(['i2v', 'f1'], trainingMode(transformer!, files));
}

function fault(path: string, text: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path });
}
