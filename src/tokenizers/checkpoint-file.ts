import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../errors.ts';

/** A parsed JSON object; every field still has to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed JSON value is an object with fields, not an array and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The error for a tokenizer file whose content cannot be used. */
export function corruptFile(file: string, problem: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_CHECKPOINT',
    `tokenizer: ${file} ${problem}; download the file again`,
    { file },
    cause,
  );
}

/**
 * Reads a text file of a checkpoint folder, in UTF-8 with or without a byte order mark.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file when it is missing, unreadable, a Git LFS pointer or
 *   not UTF-8.
 */
export async function readTextFile(folder: string, name: string): Promise<string> {
  const file = path.join(folder, name);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `tokenizer: ${file} expected a readable file, got ${reason}`,
      { file },
      cause,
    );
  }
  const text = decodeUtf8(bytes, file);
  if (text.startsWith('version https://git-lfs')) {
    throw corruptFile(file, 'expected the file itself, got a Git LFS pointer');
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw corruptFile(file, 'expected text in UTF-8, got other bytes', cause);
  }
}

/**
 * Reads a JSON file of a checkpoint folder whose top level is an object.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file when it is missing or not a JSON object.
 */
export async function readJsonFile(folder: string, name: string): Promise<JsonObject> {
  const file = path.join(folder, name);
  const text = await readTextFile(folder, name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corruptFile(file, 'expected JSON, got text that does not parse', cause);
  }
  if (!isJsonObject(value)) throw corruptFile(file, 'expected a JSON object at the top level');
  return value;
}
