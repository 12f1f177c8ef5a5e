import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** `sha256` of the bytes, or the id that git gives a file with them. */
export type DigestKind = 'sha256' | 'git';

const READ_BYTES = 1 << 20;

/** Digest of a file in hexadecimal. */
export async function digestOfFile(
  file: string,
  kind: DigestKind,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(kind === 'git' ? 'sha1' : 'sha256');
  if (kind === 'git') hash.update(`blob ${(await stat(file)).size}\0`);
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES, signal })) {
    hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}
