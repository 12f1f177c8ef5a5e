import { existsSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { FramePackError } from '../../../errors.ts';
import { type CachedPart, findCachedParts } from '../../../hub/cache/cached-parts.ts';
import { CachedRepository } from '../../../hub/cache/cached-repository.ts';
import { hubCacheFolder } from '../../../hub/hub-settings.ts';
import { findModelSet, MODEL_SETS, type ModelSet } from '../../../hub/model-sets.ts';
import { partFolders, readInfo } from '../../../weights/model-folder.ts';
import type { FoundModel } from './locate-model.ts';

/** A repository at a revision. */
export interface RepositoryName {
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const DEFAULT_REVISION = 'main';
const NAME = /^(\w[\w.-]*\/\w[\w.-]*)(?:@(\w[\w.-]*))?$/;
const CACHED = 'models--';
/** Where a cache is below what a user may call one: `HF_HOME` has it in `hub`, FramePack's folder in `hf_download`. */
const CACHE_PLACES = ['.', 'hub', 'hf_download/hub'];

/** `owner/name` or `owner/name@revision`; null for a text that cannot be one. */
export function repositoryNamed(text: string): RepositoryName | null {
  const [, repository, revision = DEFAULT_REVISION] = NAME.exec(text) ?? [];
  return repository === undefined || text.includes('..') ? null : { repository, revision };
}

/** The repository that a folder of a Hugging Face cache is, or a snapshot of; null for any other folder. */
export function repositoryAt(
  path: string,
): (RepositoryName & { readonly cacheFolder: string }) | null {
  const steps = resolve(path).split(sep);
  const at = steps.findLastIndex((step) => step.startsWith(CACHED));
  const [owner, ...name] = (steps[at] ?? '').slice(CACHED.length).split('--');
  const [snapshots, revision = DEFAULT_REVISION, ...deeper] = steps.slice(at + 1);
  const isSnapshot = snapshots === undefined || (snapshots === 'snapshots' && deeper.length === 0);
  if (at < 0 || name.length === 0 || !isSnapshot) return null;
  const cacheFolder = steps.slice(0, at).join(sep);
  return { cacheFolder, repository: `${owner}/${name.join('--')}`, revision };
}

/**
 * A model by its repository, in a Hugging Face cache.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is not there or not whole, with what `framepack pull` would
 *   fetch.
 */
export function repositoryModel(
  cacheFolder: string,
  { repository, revision }: RepositoryName,
): FoundModel {
  const set = findModelSet(repository);
  if (set !== undefined) return releasedModel(cacheFolder, set, revision);
  const snapshot = new CachedRepository(cacheFolder, repository).findSnapshot(revision);
  const source = revision === DEFAULT_REVISION ? repository : `${repository}@${revision}`;
  if (snapshot === null) {
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${source}: expected a path, or a repository in ${cacheFolder}, got neither; ` +
        `"${pullCommand(source, cacheFolder)}" fetches a repository from the hub`,
      { repository, cacheFolder },
    );
  }
  const parts = partFolders(snapshot);
  if (parts.transformer !== undefined) {
    return { source, parts, info: readInfo(snapshot), set: null };
  }
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${source}: expected a repository with a folder transformer/, got none in ${snapshot}`,
    { repository, path: snapshot },
  );
}

/**
 * The released model in a Hugging Face cache, or in a folder that holds one; null when it is no cache.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when there are several, none, or one that is not whole.
 */
export function cachedModel(folder: string): FoundModel | null {
  const cacheFolder = CACHE_PLACES.map((place) => join(folder, place)).find(isCache);
  if (cacheFolder === undefined) return null;
  const found = MODEL_SETS.filter(({ repository }) => isThere(cacheFolder, repository));
  if (found.length === 1) return releasedModel(cacheFolder, found[0]!, DEFAULT_REVISION);
  const names = MODEL_SETS.map(({ repository }) => repository);
  const paths = found.map(({ repository }) => new CachedRepository(cacheFolder, repository).folder);
  const advice =
    found.length > 1
      ? `got both; name one by its folder: ${paths.join(' or ')}`
      : `got none; "${pullCommand(names[0]!, cacheFolder)}" fetches one`;
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${cacheFolder}: expected ${names.join(' or ')} in this cache, ${advice}`,
    { path: cacheFolder },
  );
}

function isCache(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(CACHED));
}

function isThere(cacheFolder: string, repository: string): boolean {
  return new CachedRepository(cacheFolder, repository).findSnapshot(DEFAULT_REVISION) !== null;
}

function releasedModel(cacheFolder: string, set: ModelSet, revision: string): FoundModel {
  const { repository } = set;
  const found = findCachedParts(cacheFolder, set.parts, revision);
  const missing = found.filter(({ path }) => path === null);
  if (missing.length > 0) throw notPulled(cacheFolder, { repository, revision }, missing);
  const parts = found.map(({ name, path }) => [name === '' ? 'transformer' : name, path]);
  return { source: repository, parts: Object.fromEntries(parts), info: null, set };
}

function notPulled(
  cacheFolder: string,
  { repository, revision }: RepositoryName,
  missing: readonly CachedPart[],
): FramePackError {
  // Pulling a model takes the main branch of all its repositories; another branch is pulled by itself.
  const marked = revision === DEFAULT_REVISION ? repository : `${repository}@${revision}`;
  const missingBytes = missing.reduce((sum, { approximateBytes }) => sum + approximateBytes, 0);
  return new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${marked}: expected its files in ${cacheFolder}, got none of ${listOf(missing)}; ` +
      `"${pullCommand(marked, cacheFolder)}" would fetch them, about ${gigabytes(missingBytes)}`,
    {
      repository,
      cacheFolder,
      missingBytes,
      missing: missing.map(({ repository: owner, name }) => (name ? `${owner}/${name}` : owner)),
    },
  );
}

/** Parts by repository, with the sizes of those that are large. */
function listOf(missing: readonly CachedPart[]): string {
  const repositories = [...new Set(missing.map(({ repository }) => repository))];
  const texts = repositories.map((repository) => {
    const folders = missing.filter((part) => part.repository === repository);
    return [repository, folders.map(folderText).join(', ')].filter((text) => text !== '').join(' ');
  });
  return texts.join('; ');
}

function folderText({ name, approximateBytes }: CachedPart): string {
  return [name, approximateBytes > 0 ? `(${gigabytes(approximateBytes)})` : '']
    .filter((text) => text !== '')
    .join(' ');
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function pullCommand(source: string, cacheFolder: string): string {
  const cache = cacheFolder === hubCacheFolder() ? '' : ` --cache ${cacheFolder}`;
  return `framepack pull ${source}${cache}`;
}
