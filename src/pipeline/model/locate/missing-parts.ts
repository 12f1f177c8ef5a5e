import { FramePackError } from '../../../errors.ts';
import { type CachedPart, findCachedParts } from '../../../hub/cache/cached-parts.ts';
import { hubCacheFolder } from '../../../hub/hub-settings.ts';
import { ENCODERS_AND_VAE, MODEL_SETS } from '../../../hub/model-sets.ts';
import { type ModelPart, NETWORKS, type PartPaths } from '../../../weights/model-folder.ts';
import type { FoundModel } from './found-model.ts';
import { partFlag } from './part-fields.ts';

/** Parts that no run does without. */
const NEEDED: readonly ModelPart[] = [...NETWORKS, 'tokenizer', 'tokenizer_2'];

/** The part that a folder of a released model's repositories is. */
export function partNamed(name: string): ModelPart {
  return (name === '' ? 'transformer' : name) as ModelPart;
}

/**
 * Refuses a model of which parts are missing.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` with all that is missing, how to name it, and what `framepack pull`
 *   would fetch.
 */
export function refuseIncomplete(found: FoundModel, parts: PartPaths): void {
  const missing = NEEDED.filter((part) => parts[part] === undefined);
  if (missing.length === 0) return;
  throw found.released === null ? notWhole(found, missing) : notPulled(found, missing);
}

/** How to fetch a repository or a folder of one. */
export function pullCommand(source: string, cacheFolder: string): string {
  const cache = cacheFolder === hubCacheFolder() ? '' : ` --cache ${cacheFolder}`;
  return `framepack pull ${source}${cache}`;
}

function notPulled(
  { released, cacheFolder, source }: FoundModel,
  missing: readonly ModelPart[],
): FramePackError {
  const { set, revision } = released!;
  // A pull fetches the small files that nothing needs too.
  const absent = findCachedParts(cacheFolder, set.parts, revision).filter(
    ({ name, path }) => path === null && (missing.includes(partNamed(name)) || !isNeeded(name)),
  );
  const missingBytes = bytesOf(absent);
  return new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${source}: expected its files in ${cacheFolder}, got none of ${listOf(absent)}; ` +
      `"${pullCommand(source, cacheFolder)}" would fetch them, about ${gigabytes(missingBytes)}`,
    {
      repository: set.repository,
      cacheFolder,
      missingBytes,
      missing: absent.map(({ repository, name }) => (name ? `${repository}/${name}` : repository)),
    },
  );
}

function notWhole(
  { source, info, cacheFolder }: FoundModel,
  missing: readonly ModelPart[],
): FramePackError {
  const names = missing.map((part) =>
    part.startsWith('tokenizer')
      ? `${part} (a folder beside ${partFlag(part)})`
      : `${part} (${partFlag(part)})`,
  );
  const message = `checkpoint: ${source}: expected all parts of a model, got no ${names.join(', ')}`;
  const details = { source, missing };
  if (info !== null) return new FramePackError('ERR_CHECKPOINT', message, details);
  const absent = findCachedParts(cacheFolder, ENCODERS_AND_VAE).filter(({ name }) =>
    missing.includes(partNamed(name)),
  );
  const commands = absent.map(({ repository, name }) =>
    pullCommand(`${repository}/${name}`, cacheFolder),
  );
  const advice = [
    ...(commands.length === 0
      ? []
      : [`"${commands.join(' && ')}" would fetch ${sizeText(bytesOf(absent))} into the cache`]),
    ...(missing.includes('transformer')
      ? [`a transformer is fetched with ${MODEL_SETS.map(quotedPull).join(' or ')}`]
      : []),
  ];
  return new FramePackError(
    'ERR_CHECKPOINT',
    `${message}, and not in ${cacheFolder}; ${advice.join('; ')}`,
    details,
  );

  function quotedPull({ repository }: { readonly repository: string }): string {
    return `"${pullCommand(repository, cacheFolder)}"`;
  }
}

function isNeeded(name: string): boolean {
  return NEEDED.includes(partNamed(name));
}

function bytesOf(parts: readonly CachedPart[]): number {
  return parts.reduce((sum, { approximateBytes }) => sum + approximateBytes, 0);
}

/** Parts by repository, with the sizes of those that are large. */
function listOf(parts: readonly CachedPart[]): string {
  const repositories = [...new Set(parts.map(({ repository }) => repository))];
  const texts = repositories.map((repository) => {
    const folders = parts.filter((part) => part.repository === repository);
    return joined([repository, folders.map(folderText).join(', ')]);
  });
  return texts.join('; ');
}

function folderText({ name, approximateBytes }: CachedPart): string {
  return joined([name, approximateBytes > 0 ? `(${gigabytes(approximateBytes)})` : '']);
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(' ');
}

function sizeText(bytes: number): string {
  return bytes === 0 ? 'small files' : `about ${gigabytes(bytes)}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
