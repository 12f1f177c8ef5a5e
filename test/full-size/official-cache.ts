import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CachedRepository } from '../../src/hub/cache/cached-repository.ts';
import { findModelSet } from '../../src/hub/model-sets.ts';
import { writeOfficialFolder } from './official-folder.ts';

/** The commit of every repository that is written. */
export const COMMIT = '86cef4396041b6002c957852daac4c91aaa47c79';

/**
 * Writes a released model into a Hugging Face cache as a download leaves it: repositories whose snapshots link to blobs,
 * with holes where the weights belong.
 */
export async function writeOfficialCache(cacheFolder: string, repository: string): Promise<void> {
  const folder = join(cacheFolder, 'written');
  await writeOfficialFolder(folder);
  mkdirSync(join(folder, 'feature_extractor'));
  writeFileSync(join(folder, 'feature_extractor', 'preprocessor_config.json'), '{}');
  for (const part of findModelSet(repository)!.parts) {
    for (const { name } of part.folders) {
      cacheFiles(cacheFolder, part.repository, [join(folder, name || 'transformer'), name]);
    }
  }
  rmSync(folder, { recursive: true });
}

/** Moves the files of a folder into a folder of a repository. */
function cacheFiles(
  cacheFolder: string,
  repository: string,
  [source, folder]: readonly [source: string, folder: string],
): void {
  const cached = new CachedRepository(cacheFolder, repository);
  const snapshot = join(cached.snapshotFolder(COMMIT), folder);
  for (const made of [join(cached.folder, 'refs'), join(cached.folder, 'blobs'), snapshot]) {
    mkdirSync(made, { recursive: true });
  }
  writeFileSync(join(cached.folder, 'refs', 'main'), COMMIT);
  for (const name of readdirSync(source)) {
    const blob = cached.blobPath(createHash('sha256').update(join(folder, name)).digest('hex'));
    renameSync(join(source, name), blob);
    symlinkSync(relative(snapshot, blob), join(snapshot, name));
  }
}
