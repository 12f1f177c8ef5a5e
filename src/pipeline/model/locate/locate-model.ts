import { existsSync } from 'node:fs';
import { FramePackError } from '../../../errors.ts';
import { hubCacheFolder } from '../../../hub/hub-settings.ts';
import type { ModelSet } from '../../../hub/model-sets.ts';
import type { CheckpointInfo } from '../../../weights/checkpoint-info.ts';
import type { CheckpointFileOptions } from '../../../weights/files/checkpoint-files.ts';
import {
  ModelFolder,
  type PartPaths,
  partFolders,
  readInfo,
} from '../../../weights/model-folder.ts';
import { officialInfo } from '../../../weights/official/description.ts';
import { cachedModel, repositoryAt, repositoryModel, repositoryNamed } from './cached-model.ts';
import { trainingMode } from './training-mode.ts';

/** What a model is opened from. */
export interface ModelSource extends CheckpointFileOptions {
  /** A path or a repository, as `LoadOptions` says. */
  readonly model: string;
  /** Hugging Face cache in which repositories are looked for; default as its own programs find it. */
  readonly cacheFolder?: string | undefined;
}

/** Parts that belong together, and what is known of their model. */
export interface FoundModel {
  /** What to call it in messages: a path or a repository. */
  readonly source: string;
  readonly parts: PartPaths;
  /** What the model says about itself; null when it is a released one, which does not. */
  readonly info: CheckpointInfo | null;
  /** The released model, where the repository tells. */
  readonly set: ModelSet | null;
}

/**
 * Finds the parts of a model: in a model folder, or by a repository in the Hugging Face cache, where those of the
 * released models lie in several repositories. Reads headers and configurations, and asks no network.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is not there or not whole; for a repository that is not in
 *   the cache, with what `framepack pull` would fetch.
 * @example
 * const model = await locateModel({ model: 'lllyasviel/FramePackI2V_HY' });
 * console.log(model.path('vae'));
 */
export async function locateModel({
  model,
  cacheFolder = hubCacheFolder(),
  ...files
}: ModelSource): Promise<ModelFolder> {
  const { source, parts, info, set } = findModel(model, cacheFolder);
  return ModelFolder.of({ source, parts, info: info ?? infoOf(set, parts, files) }, files);
}

/** A path wins over a repository of the same name, which its address tells apart. */
function findModel(model: string, cacheFolder: string): FoundModel {
  if (existsSync(model)) return modelAt(model);
  const named = repositoryNamed(model);
  if (named !== null) return repositoryModel(cacheFolder, named);
  throw fault(
    model,
    'expected a path or a repository such as lllyasviel/FramePackI2V_HY, got none',
  );
}

function modelAt(path: string): FoundModel {
  const parts = partFolders(path);
  if (parts.transformer !== undefined) {
    return { source: path, parts, info: readInfo(path), set: null };
  }
  const place = repositoryAt(path);
  if (place !== null) return repositoryModel(place.cacheFolder, place);
  const cached = cachedModel(path);
  if (cached !== null) return cached;
  throw fault(
    path,
    'expected a model folder with a folder transformer/, or a Hugging Face cache, got neither',
  );
}

/** The constants of the released model, for the mode that its files tell. */
function infoOf(
  set: ModelSet | null,
  { transformer }: PartPaths,
  files: CheckpointFileOptions,
): CheckpointInfo {
  if (set !== null) return officialInfo([set.mode], set.mode);
  const mode = transformer === undefined ? null : trainingMode(transformer, files);
  return officialInfo(['i2v', 'f1'], mode);
}

function fault(path: string, text: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path });
}
