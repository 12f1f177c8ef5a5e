import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';

/** Which bytes of an unfinished file are there. Parts have one size, but for the last. */
export interface PartState {
  readonly size: number;
  readonly partBytes: number;
  /** Entity tag of the file when the first byte came; null until then. */
  etag: string | null;
  /** Bytes that have arrived of every part, from its start. */
  readonly written: number[];
}

const VERSION = 1;

const schema = z.object({
  version: z.literal(VERSION),
  size: z.int().min(0),
  partBytes: z.int().min(1),
  etag: z.string().nullable(),
  written: z.array(z.int().min(0)),
});

/** Nothing has arrived yet. */
export function emptyState(size: number, partBytes: number): PartState {
  const count = Math.ceil(size / partBytes);
  return { size, partBytes, etag: null, written: new Array<number>(count).fill(0) };
}

/** Bytes of the part at that index. */
export function partSize({ size, partBytes }: PartState, index: number): number {
  return Math.min(partBytes, size - index * partBytes);
}

/** Bytes that have arrived. */
export function bytesWritten(state: PartState): number {
  return state.written.reduce((sum, count) => sum + count, 0);
}

/** Reads what an earlier run left; null when there is nothing that fits a file of this size. */
export async function readState(file: string, size: number): Promise<PartState | null> {
  try {
    const { version: _, ...state } = schema.parse(JSON.parse(await readFile(file, 'utf8')));
    const isOurs =
      state.size === size &&
      state.written.length === Math.ceil(size / state.partBytes) &&
      state.written.every((count, index) => count <= partSize(state, index));
    return isOurs ? state : null;
  } catch {
    return null;
  }
}

/** Writes the state so that a crash leaves either the old one or the new one. */
export async function writeState(file: string, state: PartState): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(JSON.stringify({ version: VERSION, ...state }));
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** Forgets what has arrived. */
export async function removeState(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.new`, { force: true });
}
