import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { RepositoryPart } from '../model-sets.ts';
import { CachedRepository } from './cached-repository.ts';

/** A folder of a released model, and where the cache has it. */
export interface CachedPart {
  /** `owner/name`. */
  readonly repository: string;
  /** The part, named as its folder; empty for the root of the repository. */
  readonly name: string;
  /** Bytes of its weights, before the hub has been asked. */
  readonly approximateBytes: number;
  /** Null when the cache lacks it. */
  readonly path: string | null;
}

/**
 * Looks for parts in a Hugging Face cache; asks nobody else.
 *
 * @param revision - of the repository whose files lie in its root; of the others the branch `main` is meant.
 */
export function findCachedParts(
  cacheFolder: string,
  parts: readonly RepositoryPart[],
  revision: string = 'main',
): CachedPart[] {
  return parts.flatMap(({ repository, folders }) => {
    const cached = new CachedRepository(cacheFolder, repository);
    return folders.map(({ name, approximateBytes }) => {
      const snapshot = cached.findSnapshot(name === '' ? revision : 'main');
      const folder = snapshot === null ? null : path.join(snapshot, name);
      const isThere = folder !== null && existsSync(folder) && readdirSync(folder).length > 0;
      return { repository, name, approximateBytes, path: isThere ? folder : null };
    });
  });
}
