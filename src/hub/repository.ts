import { z } from 'zod';
import { FramePackError } from '../errors.ts';
import { type HubClient, readBody } from './http.ts';

/** A file of a repository as the hub lists it. */
export interface RepositoryFile {
  /** Path within the repository, with slashes. */
  readonly path: string;
  readonly size: number;
  /** What its bytes are checked against, and the name of its blob. */
  readonly digest: { readonly kind: 'sha256' | 'git'; readonly hex: string };
}

/** A repository at one commit. */
export interface RepositoryListing {
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly RepositoryFile[];
}

const MAX_ANSWER_BYTES = 25_000_000;
const MAX_FILES = 10_000;

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const revisionSchema = z.object({ sha: hex(40) });
const entrySchema = z.object({
  type: z.string(),
  path: z.string().min(1).max(1000),
  oid: hex(40),
  size: z.int().min(0),
  lfs: z.object({ oid: hex(64), size: z.int().min(0) }).optional(),
});
const treeSchema = z.array(entrySchema);

/**
 * Asks the hub which files a revision has.
 *
 * @throws {@link FramePackError} `ERR_DOWNLOAD` when there is none, it is gated, or the answer is not a hub's.
 */
export async function listRepository(
  client: HubClient,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<RepositoryListing> {
  const root = `${client.settings.endpoint}/api/models/${repository}`;
  const name = encodeURIComponent(revision);
  const about = await askJson(client, `${root}/revision/${name}`, revisionSchema, signal);
  const commit = about.value.sha;
  const files: RepositoryFile[] = [];
  let page: string | null = `${root}/tree/${commit}?recursive=true`;
  while (page !== null) {
    const answer: Answer<z.infer<typeof treeSchema>> = await askJson(
      client,
      page,
      treeSchema,
      signal,
    );
    for (const entry of answer.value)
      if (entry.type === 'file') files.push(fileOf(entry, repository));
    if (files.length > MAX_FILES) {
      throw new FramePackError(
        'ERR_DOWNLOAD',
        `pull: ${repository} expected at most ${MAX_FILES} files`,
      );
    }
    page = answer.next;
  }
  return { repository, commit, files };
}

function fileOf(entry: z.infer<typeof entrySchema>, repository: string): RepositoryFile {
  checkName(entry.path, repository);
  const { path, lfs } = entry;
  return lfs === undefined
    ? { path, size: entry.size, digest: { kind: 'git', hex: entry.oid } }
    : { path, size: lfs.size, digest: { kind: 'sha256', hex: lfs.oid } };
}

/** Names come from the network and become paths on this machine. */
function checkName(name: string, repository: string): void {
  const isSafe = name
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\:\p{Cc}]/u.test(part));
  if (isSafe) return;
  const message = `pull: ${repository} lists a file with an unsafe name, ${JSON.stringify(name)}`;
  throw new FramePackError('ERR_DOWNLOAD', message, { name });
}

interface Answer<T> {
  readonly value: T;
  /** Address of the next page, or null. */
  readonly next: string | null;
}

async function askJson<T>(
  client: HubClient,
  address: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<Answer<T>> {
  return client.persist(
    async () => {
      using stall = client.stall(signal);
      const { response } = await client.get(address, { accept: 'application/json' }, stall);
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of readBody(response, stall)) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) throw notAHub(address, 'an answer without end');
        chunks.push(chunk);
      }
      const value = parse(Buffer.concat(chunks).toString('utf8'), schema, address);
      return { value, next: nextPage(response, address) };
    },
    { signal, onRetry: () => {} },
  );
}

function parse<T>(text: string, schema: z.ZodType<T>, address: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw notAHub(
      address,
      text.trimStart().startsWith('<') ? 'a web page' : 'something else',
      cause,
    );
  }
}

function notAHub(address: string, got: string, cause?: unknown): FramePackError {
  const { origin, pathname } = new URL(address);
  const message = `pull: ${origin}${pathname} expected the answer of a Hugging Face hub, got ${got}`;
  return new FramePackError('ERR_DOWNLOAD', message, {}, cause);
}

/** The `rel="next"` link of a long listing; it stays on the hub. */
function nextPage(response: Response, address: string): string | null {
  const match = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '');
  if (match === null) return null;
  const next = new URL(match[1]!, address);
  return next.origin === new URL(address).origin ? next.href : null;
}
