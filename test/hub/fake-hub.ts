import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file the hub serves; large ones as the hub's LFS does, with a redirect to another host. */
export interface HubFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly isLfs: boolean;
  /** Size that the listing claims in place of the true one. */
  readonly listedSize?: number;
}

/** What a request asked for, as the server saw it. */
export interface Served {
  readonly path: string;
  readonly start: number;
  readonly bytes: number;
  readonly authorization: string | undefined;
  readonly isStorage: boolean;
}

/** Decides how a file request is answered; undefined answers it well. */
export type Fault = (
  request: { readonly path: string; readonly start: number; readonly count: number },
  response: ServerResponse,
) => 'handled' | undefined;

const COMMIT = '86cef4396041b6002c957852daac4c91aaa47c79';

/**
 * A Hugging Face hub on the loopback: the two calls of its API that a pull makes, files by range, and a storage host
 * of its own to which large files are redirected.
 */
export class FakeHub implements AsyncDisposable {
  readonly commit: string = COMMIT;
  readonly served: Served[] = [];
  /** Called for every request that asks a file's bytes. */
  fault: Fault = () => undefined;
  /** Listed digest in place of the true one. */
  listedDigest: string | undefined;
  etag = 'v1';
  numConnections = 0;
  private readonly repositories: ReadonlyMap<string, readonly HubFile[]>;
  private readonly hub = createServer((request, response) => this.answer(request, response));
  private readonly storage = createServer((request, response) =>
    this.send(request, response, true),
  );
  private count = 0;

  private constructor(repositories: ReadonlyMap<string, readonly HubFile[]>) {
    this.repositories = repositories;
  }

  static async start(repositories: Readonly<Record<string, readonly HubFile[]>>): Promise<FakeHub> {
    const fake = new FakeHub(new Map(Object.entries(repositories)));
    for (const server of [fake.hub, fake.storage]) {
      server.on('connection', () => {
        fake.numConnections += 1;
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`;
  }

  /** Bytes of bodies sent so far. */
  get sentBytes(): number {
    return this.served.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.hub, this.storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.endpoint);
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\//.exec(url.pathname);
    if (api === null) {
      this.send(request, response, false);
      return;
    }
    const files = this.repositories.get(api[1]!);
    if (files === undefined) {
      response.writeHead(404).end();
      return;
    }
    const answer = api[2] === 'revision' ? { sha: COMMIT } : files.map((file) => this.entry(file));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private entry({ path, bytes, isLfs, listedSize = bytes.length }: HubFile): object {
    const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const sha256 = this.listedDigest ?? sha256Of(bytes);
    const lfs = { oid: sha256, size: listedSize, pointerSize: 134 };
    return { type: 'file', oid: git, size: bytes.length, path, ...(isLfs && { lfs }) };
  }

  private find(pathname: string): HubFile | undefined {
    const [, owner, name, , , ...path] = decodeURIComponent(pathname).split('/');
    return this.repositories.get(`${owner}/${name}`)?.find((file) => file.path === path.join('/'));
  }

  private send(request: IncomingMessage, response: ServerResponse, isStorage: boolean): void {
    const url = new URL(request.url!, this.endpoint);
    const file = this.find(url.pathname);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { authorization } = request.headers;
    if (file.isLfs && !isStorage) {
      const { port } = this.storage.address() as AddressInfo;
      const location = `http://127.0.0.1:${port}${url.pathname}`;
      this.served.push({ path: file.path, start: 0, bytes: 0, authorization, isStorage });
      response.writeHead(302, { location, 'x-linked-etag': `"${this.etag}"` }).end();
      return;
    }
    this.sendBytes(file, request, response, isStorage);
  }

  private sendBytes(
    { path, bytes }: HubFile,
    request: IncomingMessage,
    response: ServerResponse,
    isStorage: boolean,
  ): void {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Number(range?.[2] ?? bytes.length - 1);
    const entry = {
      path,
      start,
      bytes: 0,
      authorization: request.headers.authorization,
      isStorage,
    };
    const index = this.served.push(entry) - 1;
    if (this.fault({ path, start, count: this.count++ }, response) === 'handled') return;
    const body = bytes.subarray(start, end + 1);
    this.served[index] = { ...entry, bytes: body.length };
    const headers = { etag: `"${this.etag}"`, 'content-length': body.length };
    if (range === null) response.writeHead(200, headers).end(body);
    else {
      const contentRange = `bytes ${start}-${end}/${bytes.length}`;
      response.writeHead(206, { ...headers, 'content-range': contentRange }).end(body);
    }
  }
}

/** SHA-256 in hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that differ everywhere and are the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
