import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { DEFAULT_PATIENCE, HubClient } from '../../src/hub/http.ts';
import { hubSettings } from '../../src/hub/hub-settings.ts';
import { listRepository } from '../../src/hub/repository.ts';

const SHA = 'c'.repeat(40);
const signal = new AbortController().signal;
const entry = (path: string, extra: object = {}) => ({
  type: 'file',
  path,
  oid: 'd'.repeat(40),
  size: 1,
  ...extra,
});

/** Lists a repository whose pages are given. */
async function list(pages: readonly unknown[], revision: unknown = { sha: SHA }) {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    const page = Number(url.searchParams.get('page') ?? 0);
    if (url.pathname.includes('/revision/')) response.end(JSON.stringify(revision));
    else {
      if (page + 1 < pages.length) {
        response.setHeader('link', `<${url.pathname}?page=${page + 1}>; rel="next"`);
      }
      const body = pages[page];
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HubClient(hubSettings({ endpoint }, {}), DEFAULT_PATIENCE);
  try {
    return await listRepository(client, 'owner/model', 'main', signal);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('reads all pages; large files are checked by SHA-256, small ones by their git id', async () => {
  const lfs = { lfs: { oid: 'e'.repeat(64), size: 99 } };
  const folder = { ...entry('vae'), type: 'directory' };
  expect(await list([[entry('a'), folder], [entry('vae/b', lfs)]])).toEqual({
    repository: 'owner/model',
    commit: SHA,
    files: [
      { path: 'a', size: 1, digest: { kind: 'git', hex: 'd'.repeat(40) } },
      { path: 'vae/b', size: 99, digest: { kind: 'sha256', hex: 'e'.repeat(64) } },
    ],
  });
});

test.each(['../x', '/x', 'a/../../x', 'a//b', 'a\\b', 'C:x', 'a\0', './a'])(
  'the name %j is refused',
  async (name) => {
    await expect(list([[entry(name)]])).rejects.toMatchObject({ code: 'ERR_DOWNLOAD' });
  },
);

test.each(['<html>log in</html>', '{', '{"error": 1}', [{ type: 'file' }]])(
  'the answer %j is not a hub',
  async (page) => {
    await expect(list([page])).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('Hugging Face hub'),
    });
  },
);
