import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
// An abstract address has up to 107 characters. Full length, because Node versions disagree on padding shorter ones.
const ADDRESS_LENGTH = 107;

/**
 * Waits until this process alone may fetch a blob.
 *
 * The lock is a listening socket with the blob's name in Linux's abstract namespace (a named pipe on Windows): the
 * system gives it to one process and takes it back when that process ends, however it ends, so that no lock outlives
 * its holder and none has to be guessed stale. It does not reach other machines or containers that share the disk;
 * there two downloads write the same verified bytes to the same places.
 *
 * @param onWait - called once when another process holds the lock.
 */
export async function lockBlob(
  blobPath: string,
  onWait: () => void,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const address = addressOf(blobPath);
  for (let isFirst = true; ; isFirst = false) {
    const server = await tryListen(address);
    if (server !== null) {
      return {
        [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
      };
    }
    if (isFirst) onWait();
    await sleep(POLL_MS, undefined, { signal });
  }
}

function addressOf(blobPath: string): string {
  const digest = createHash('sha256').update(path.resolve(blobPath)).digest('hex');
  const name = `framepack-pull-${digest}`;
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\${name}`
    : `\0${name.padEnd(ADDRESS_LENGTH, '-')}`;
}

function tryListen(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: address, exclusive: true }, () => resolve(server));
  });
}
