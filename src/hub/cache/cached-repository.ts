import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * One repository in the cache that all Hugging Face programs share:
 *
 * ```text
 * models--owner--name/
 *   refs/main                      commit that a branch or tag last meant
 *   snapshots/<commit>/<file>      relative link to a blob
 *   blobs/<sha256 or git id>       the bytes
 * ```
 *
 * @see huggingface_hub, "Understand caching"
 */
export class CachedRepository {
  readonly folder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = path.join(cacheFolder, `models--${repository.replaceAll('/', '--')}`);
  }

  /** Commit of a branch, tag or commit as far as this machine knows; null when it was never pulled. */
  commitOf(revision: string): string | null {
    if (COMMIT.test(revision)) return revision;
    try {
      return readFileSync(path.join(this.folder, 'refs', revision), 'utf8').trim() || null;
    } catch {
      return null;
    }
  }

  /** Folder of the files of a commit, whether or not it is there. */
  snapshotFolder(commit: string): string {
    return path.join(this.folder, 'snapshots', commit);
  }

  /** Folder of the files of a revision, or null when this machine has none. */
  findSnapshot(revision: string): string | null {
    const commit = this.commitOf(revision);
    if (commit === null) return null;
    const folder = this.snapshotFolder(commit);
    return existsSync(folder) ? folder : null;
  }

  /** Path of a blob, named by its SHA-256 or, for small files, its git id. */
  blobPath(id: string): string {
    return path.join(this.folder, 'blobs', id);
  }

  /** Makes the folders that a download needs. */
  async prepare(): Promise<void> {
    await mkdir(path.join(this.folder, 'blobs'), { recursive: true });
  }

  /** Shows a blob under its name in a snapshot. */
  async link(commit: string, file: string, id: string): Promise<string> {
    const name = path.join(this.snapshotFolder(commit), ...file.split('/'));
    await mkdir(path.dirname(name), { recursive: true });
    const target = path.relative(path.dirname(name), this.blobPath(id));
    if ((await readlink(name).catch(() => null)) === target) return name;
    // A link is made beside and renamed, so that a reader never meets a name that is briefly gone.
    const temporary = `${name}.${randomUUID()}`;
    await symlink(target, temporary);
    await rename(temporary, name).catch(async (error: unknown) => {
      await rm(temporary, { force: true });
      throw error;
    });
    return name;
  }

  /** Remembers which commit a branch or tag meant. */
  async remember(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const file = path.join(this.folder, 'refs', ...revision.split('/'));
    await mkdir(path.dirname(file), { recursive: true });
    const temporary = `${file}.${randomUUID()}`;
    await writeFile(temporary, commit);
    await rename(temporary, file);
  }
}
