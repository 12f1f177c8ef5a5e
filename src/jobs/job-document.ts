import { readFile } from 'node:fs/promises';
import { FramePackError } from '../errors.ts';
import { replaceFile, writeAt } from '../weights/files/replace-file.ts';

/**
 * Writes bytes, or a value as JSON, into the folder of a job; the file appears when it is complete and on the disk. Numbers
 * beyond 2^53 become text.
 *
 * @throws {@link FramePackError} `ERR_OUTPUT`.
 */
export async function writeJobFile(file: string, content: Uint8Array | object): Promise<void> {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(jsonOf(content));
  try {
    await replaceFile(file, (handle) => writeAt(handle, bytes, 0));
  } catch (cause) {
    const message = `generate: job expected a folder that can be written, got ${file}`;
    throw new FramePackError('ERR_OUTPUT', message, { file }, cause);
  }
}

/** The value that a JSON file holds; undefined when there is no file, or none with JSON in it. */
export async function readJobFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function jsonOf(value: object): string {
  const text = (_: string, member: unknown): unknown =>
    typeof member === 'bigint' ? String(member) : member;
  return `${JSON.stringify(value, text, 2)}\n`;
}
