import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { replaceFile, writeAt } from '../weights/files/replace-file.ts';

/** What is in a file of frames. */
export interface FrameFileFacts {
  /** Digest of all that the frames were made from. */
  readonly origin: string;
  /** Bytes of one frame. */
  readonly frameBytes: number;
}

const FORMAT = 'framepack-frames';
const VERSION = 1;
/** JSON, and spaces up to this length; the frames follow. */
const HEADER_BYTES = 512;
const READ_BYTES = 1 << 20;

const schema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  origin: z.string(),
  frameBytes: z.int().positive(),
  numFrames: z.int().nonnegative(),
  sha256: z.string(),
});

type Header = z.infer<typeof schema>;

/**
 * Writes frames as they are, one after the other. The file appears when it is complete and on the disk.
 *
 * @throws what the file system throws.
 */
export async function writeFrameFile(
  file: string,
  frames: readonly Uint8Array[],
  { origin, frameBytes }: FrameFileFacts,
): Promise<void> {
  const hash = createHash('sha256');
  for (const frame of frames) hash.update(frame);
  const header: Header = {
    ...{ format: FORMAT, version: VERSION, origin, frameBytes },
    ...{ numFrames: frames.length, sha256: hash.digest('hex') },
  };
  await replaceFile(file, async (handle) => {
    await writeAt(handle, Buffer.from(JSON.stringify(header).padEnd(HEADER_BYTES)), 0);
    for (const [index, frame] of frames.entries()) {
      await writeAt(handle, frame, HEADER_BYTES + index * frameBytes);
    }
  });
}

/** How many frames a file holds; null unless it is whole and of that origin. */
export async function checkFrameFile(file: string, facts: FrameFileFacts): Promise<number | null> {
  try {
    const header = await readHeader(file);
    const isSame = header?.origin === facts.origin && header.frameBytes === facts.frameBytes;
    if (header === null || !isSame) return null;
    const hash = createHash('sha256');
    let numBytes = 0;
    for await (const chunk of bytesBehindHeader(file)) {
      hash.update(chunk);
      numBytes += chunk.length;
    }
    const isWhole = numBytes === header.numFrames * facts.frameBytes;
    return isWhole && hash.digest('hex') === header.sha256 ? header.numFrames : null;
  } catch {
    return null;
  }
}

/**
 * The frames of a file, one after the other; each is the caller's.
 *
 * @throws what the file system throws.
 */
export async function* readFrameFile(
  file: string,
  frameBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(file, 'r');
  try {
    for (let at = HEADER_BYTES; ; at += frameBytes) {
      const frame = new Uint8Array(frameBytes);
      let filled = 0;
      while (filled < frameBytes) {
        const { bytesRead } = await handle.read(frame, filled, frameBytes - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      if (filled < frameBytes) return;
      yield frame;
    }
  } finally {
    await handle.close();
  }
}

async function readHeader(file: string): Promise<Header | null> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    await handle.read(bytes, 0, HEADER_BYTES, 0);
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString())).data ?? null;
  } finally {
    await handle.close();
  }
}

async function* bytesBehindHeader(file: string): AsyncGenerator<Uint8Array> {
  const options = { start: HEADER_BYTES, highWaterMark: READ_BYTES };
  for await (const chunk of createReadStream(file, options)) yield chunk as Uint8Array;
}
