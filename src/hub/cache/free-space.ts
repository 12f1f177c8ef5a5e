import { mkdir, stat, statfs } from 'node:fs/promises';

const BLOCK_BYTES = 512;

/** Bytes that this user may still write on the disk of a folder, which is made when it is missing. */
export async function freeBytesOf(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Bytes that files occupy on the disk; missing ones none, holes none. */
export async function allocatedBytes(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ blocks }) => blocks * BLOCK_BYTES,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
