import { readFileSync, statSync } from 'node:fs';
import { FramePackError } from '../../errors.ts';

const LFS_POINTER = 'version https://git-lfs';

/**
 * Reads a text file in UTF-8; a byte order mark is dropped.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is missing, larger than `maxBytes`, a Git LFS pointer or not
 *   UTF-8.
 */
export function readTextFile(path: string, maxBytes: number): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw fault(path, 'expected a file, got none');
  if (stats.size > maxBytes)
    throw fault(path, `expected at most ${maxBytes} bytes, got ${stats.size}`);
  const text = decode(path);
  if (text.startsWith(LFS_POINTER)) {
    throw fault(
      path,
      'expected the file itself, got a Git LFS pointer: fetch it with "git lfs pull"',
    );
  }
  return text;
}

function decode(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw fault(path, 'expected a readable text in UTF-8', cause);
  }
}

function fault(path: string, text: string, cause?: unknown): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path }, cause);
}
