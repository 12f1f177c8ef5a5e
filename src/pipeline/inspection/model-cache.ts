import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findCachedParts } from '../../hub/cache/cached-parts.ts';
import { MODEL_SETS } from '../../hub/model-sets.ts';

/** A released model and what of it the Hugging Face cache lacks. */
export interface CachedModel {
  readonly repository: string;
  /** Repositories that are not there, or not all of them. */
  readonly missing: readonly string[];
  /** Bytes of their weights that are missing, about. */
  readonly missingBytes: number;
}

/** Looks for the released models in a cache; asks nobody else. */
export function cachedModels(cacheFolder: string): readonly CachedModel[] {
  return MODEL_SETS.map(({ repository, parts }) => {
    const missing = findCachedParts(cacheFolder, parts).filter(({ path }) => path === null);
    return {
      repository,
      missing: [...new Set(missing.map((part) => part.repository))],
      missingBytes: missing.reduce((sum, { approximateBytes }) => sum + approximateBytes, 0),
    };
  });
}

/** Bytes that this user may still write on the disk of a folder that need not be there yet. */
export async function freeBytesAround(folder: string): Promise<number> {
  let place = folder;
  while (!existsSync(place)) place = dirname(place);
  const { bavail, bsize } = await statfs(place);
  return bavail * bsize;
}
