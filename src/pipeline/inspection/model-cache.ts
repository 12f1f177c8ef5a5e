import { existsSync, readdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CachedRepository } from '../../hub/cache/cached-repository.ts';
import { MODEL_SETS, type ModelSet, type RepositoryPart } from '../../hub/model-sets.ts';

/** A released model and what of it the Hugging Face cache lacks. */
export interface CachedModel {
  readonly repository: string;
  /** Repositories that are not there, or not all of them. */
  readonly missing: readonly string[];
  /** Bytes of their weights, about. */
  readonly missingBytes: number;
}

/** Looks for the released models in a cache; asks nobody else. */
export function cachedModels(cacheFolder: string): readonly CachedModel[] {
  return MODEL_SETS.map(({ repository, parts }: ModelSet) => {
    const missing = parts.filter((part) => !isCached(cacheFolder, part));
    return {
      repository,
      missing: missing.map((part) => part.repository),
      missingBytes: missing.reduce((sum, { approximateBytes }) => sum + approximateBytes, 0),
    };
  });
}

function isCached(cacheFolder: string, { repository, folders }: RepositoryPart): boolean {
  const snapshot = new CachedRepository(cacheFolder, repository).findSnapshot('main');
  return snapshot !== null && folders.every((folder) => hasFiles(join(snapshot, folder)));
}

function hasFiles(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** Bytes that this user may still write on the disk of a folder that need not be there yet. */
export async function freeBytesAround(folder: string): Promise<number> {
  let place = folder;
  while (!existsSync(place)) place = dirname(place);
  const { bavail, bsize } = await statfs(place);
  return bavail * bsize;
}
