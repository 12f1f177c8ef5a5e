import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CachedRepository } from '../../../src/hub/cache/cached-repository.ts';

const COMMIT = 'a'.repeat(40);
let folder: string;
let cached: CachedRepository;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-cache-'));
  cached = new CachedRepository(folder, 'owner/model');
  await cached.prepare();
});

afterEach(() => rmSync(folder, { recursive: true }));

test('knows nothing of a repository that was never pulled', () => {
  expect(cached.commitOf('main')).toBeNull();
  expect(cached.findSnapshot('main')).toBeNull();
  expect(cached.findSnapshot(COMMIT)).toBeNull();
});

test('shows a blob under its name by a relative link', async () => {
  writeFileSync(cached.blobPath('b10b'), 'bytes');
  const name = await cached.link(COMMIT, 'vae/config.json', 'b10b');
  await cached.remember('main', COMMIT);

  expect(path.relative(folder, name)).toBe(
    `models--owner--model/snapshots/${COMMIT}/vae/config.json`,
  );
  expect(readlinkSync(name)).toBe('../../../blobs/b10b');
  expect(readFileSync(name, 'utf8')).toBe('bytes');
  expect(cached.findSnapshot('main')).toBe(cached.snapshotFolder(COMMIT));
  expect(cached.findSnapshot(COMMIT)).toBe(cached.snapshotFolder(COMMIT));
});

test('a link is replaced when the file has another blob', async () => {
  writeFileSync(cached.blobPath('one'), '1');
  writeFileSync(cached.blobPath('two'), '2');
  await cached.link(COMMIT, 'x', 'one');
  const name = await cached.link(COMMIT, 'x', 'two');
  await cached.link(COMMIT, 'x', 'two');
  expect(readFileSync(name, 'utf8')).toBe('2');
});

test('branches with a slash are folders, commits are not remembered', async () => {
  await cached.remember('refs/pr/1', COMMIT);
  await cached.remember(COMMIT, COMMIT);
  expect(cached.commitOf('refs/pr/1')).toBe(COMMIT);
});
