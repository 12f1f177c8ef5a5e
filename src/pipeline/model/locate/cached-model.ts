import { existsSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { FramePackError } from '../../../errors.ts';
import { findCachedParts } from '../../../hub/cache/cached-parts.ts';
import { CachedRepository } from '../../../hub/cache/cached-repository.ts';
import {
  ENCODERS_AND_VAE,
  findModelSet,
  MODEL_SETS,
  type ModelSet,
  type RepositoryPart,
} from '../../../hub/model-sets.ts';
import type { PartPaths } from '../../../weights/model-folder.ts';
import type { FoundModel } from './found-model.ts';
import { partNamed, pullCommand } from './missing-parts.ts';

/** A repository at a revision. */
export interface RepositoryName {
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** A repository in a cache. */
export interface RepositoryPlace extends RepositoryName {
  readonly cacheFolder: string;
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
export function repositoryAt(path: string): RepositoryPlace | null {
  const steps = resolve(path).split(sep);
  const at = steps.findLastIndex((step) => step.startsWith(CACHED));
  const [owner, ...name] = (steps[at] ?? '').slice(CACHED.length).split('--');
  const [snapshots, revision = DEFAULT_REVISION, ...deeper] = steps.slice(at + 1);
  const isSnapshot = snapshots === undefined || (snapshots === 'snapshots' && deeper.length === 0);
  if (at < 0 || name.length === 0 || !isSnapshot) return null;
  const cacheFolder = steps.slice(0, at).join(sep);
  return { cacheFolder, repository: `${owner}/${name.join('--')}`, revision };
}

/** The released model of a repository, as far as the cache has it; null for any other repository. */
export function releasedModel({
  cacheFolder,
  repository,
  revision,
}: RepositoryPlace): FoundModel | null {
  const set = findModelSet(repository);
  return set === undefined ? null : modelOf(set, { cacheFolder, revision });
}

/**
 * Folder of a repository that is in the cache.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is not.
 */
export function snapshotOf({ cacheFolder, repository, revision }: RepositoryPlace): string {
  const snapshot = new CachedRepository(cacheFolder, repository).findSnapshot(revision);
  if (snapshot !== null) return snapshot;
  const source = markedName({ repository, revision });
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${source}: expected a path, or a repository in ${cacheFolder}, got neither; ` +
      `"${pullCommand(source, cacheFolder)}" fetches a repository from the hub`,
    { repository, cacheFolder },
  );
}

/** How a source names a repository. */
export function markedName({ repository, revision }: RepositoryName): string {
  return revision === DEFAULT_REVISION ? repository : `${repository}@${revision}`;
}

/**
 * The released model in a Hugging Face cache, or in a folder that holds one; null when it is no cache.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when there are several, or none.
 */
export function cachedModel(folder: string): FoundModel | null {
  const cacheFolder = CACHE_PLACES.map((place) => join(folder, place)).find(isCache);
  if (cacheFolder === undefined) return null;
  const isThere = ({ repository }: ModelSet): boolean =>
    new CachedRepository(cacheFolder, repository).findSnapshot(DEFAULT_REVISION) !== null;
  const found = MODEL_SETS.filter(isThere);
  const [only] = found;
  if (only !== undefined && found.length === 1) {
    return modelOf(only, { cacheFolder, revision: DEFAULT_REVISION });
  }
  const names = MODEL_SETS.map(({ repository }) => repository);
  const paths = found.map(({ repository }) => new CachedRepository(cacheFolder, repository).folder);
  const advice =
    only === undefined
      ? `got none; "${pullCommand(names[0]!, cacheFolder)}" fetches one`
      : `got both; name one by its folder: ${paths.join(' or ')}`;
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${cacheFolder}: expected ${names.join(' or ')} in this cache, ${advice}`,
    { path: cacheFolder },
  );
}

/** Encoders, VAE and tokenizers of the released models, as far as the cache has them. */
export function sharedParts(cacheFolder: string): PartPaths {
  return cachedPaths(cacheFolder, ENCODERS_AND_VAE);
}

function isCache(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(CACHED));
}

function modelOf(
  set: ModelSet,
  { cacheFolder, revision }: Omit<RepositoryPlace, 'repository'>,
): FoundModel {
  return {
    source: markedName({ repository: set.repository, revision }),
    parts: cachedPaths(cacheFolder, set.parts, revision),
    info: null,
    released: { set, revision },
    cacheFolder,
  };
}

function cachedPaths(
  cacheFolder: string,
  parts: readonly RepositoryPart[],
  revision?: string,
): PartPaths {
  const found = findCachedParts(cacheFolder, parts, revision);
  return Object.fromEntries(
    found.flatMap(({ name, path }) => (path === null ? [] : [[partNamed(name), path]])),
  );
}
