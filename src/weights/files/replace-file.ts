import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { newPartPath } from '../../files/part-file.ts';

/**
 * Writes a file that appears under its name when it is complete and on the disk, in place of what was there. A process
 * that is killed meanwhile, or a power cut, leaves the old file.
 *
 * @param write - writes all of it.
 * @throws what the file system or `write` throws; nothing is left behind then.
 */
export async function replaceFile(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const target = path.resolve(file);
  const folder = path.dirname(target);
  const temporary = newPartPath(folder);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
  await syncFolder(folder);
}

/** Writes all bytes at a position of a file, however many calls that takes. */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Without it a power cut may undo the renaming. Some network file systems refuse it, and keep their own order. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync().catch(() => {});
  } finally {
    await handle.close();
  }
}
