import { open } from 'node:fs/promises';
import {
  ALL_FORMATS,
  FilePathSource,
  Input,
  type MetadataTags,
  UnsupportedInputFormatError,
} from 'mediabunny';
import { FramePackError } from '../errors.ts';
import { chunksOf, isPng, textOf } from './png-chunks.ts';

/** Keyword that PNG registers for free text. */
export const COMMENT_KEYWORD = 'Comment';
const SIGNATURE_BYTES = 8;
const MAX_PNG_BYTES = 2 ** 28;

/**
 * The comment of an MP4, MOV, MKV, WebM or PNG file; null when it has none.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when the file cannot be read; `ERR_UNSUPPORTED` when it is of another kind
 *   or damaged.
 */
export async function readComment(file: string): Promise<string | null> {
  const picture = await readIfPng(file);
  if (picture === null) return (await readTags(file)).comment ?? null;
  for (const part of chunksOf(picture)) {
    const found = textOf(part);
    if (found?.keyword === COMMENT_KEYWORD) return found.text;
  }
  return null;
}

async function readIfPng(file: string): Promise<Buffer | null> {
  try {
    const handle = await open(file, 'r');
    try {
      const start = Buffer.alloc(SIGNATURE_BYTES);
      await handle.read(start, 0, SIGNATURE_BYTES, 0);
      if (!isPng(start)) return null;
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.min(size, MAX_PNG_BYTES));
      await handle.read(bytes, 0, bytes.length, 0);
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FramePackError(
      'ERR_ARGUMENT',
      `readComment: ${file} expected a readable file, got ${reason}`,
      { path: file },
      cause,
    );
  }
}

async function readTags(file: string): Promise<MetadataTags> {
  const input = new Input({ source: new FilePathSource(file), formats: ALL_FORMATS });
  try {
    const tags = await input.getMetadataTags();
    // A file cut off before its index has neither tracks nor tags, and the reader finds nothing wrong with that.
    if ((await input.getTracks()).length === 0) throw unreadableVideo(file, 'one without a track');
    return tags;
  } catch (cause) {
    if (cause instanceof FramePackError) throw cause;
    const got = cause instanceof UnsupportedInputFormatError ? 'another kind' : 'a damaged one';
    throw unreadableVideo(file, got, cause);
  } finally {
    input.dispose();
  }
}

function unreadableVideo(file: string, got: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_UNSUPPORTED',
    `readComment: ${file} expected an MP4, MOV, MKV, WebM or PNG file, got ${got}`,
    { path: file },
    cause,
  );
}
