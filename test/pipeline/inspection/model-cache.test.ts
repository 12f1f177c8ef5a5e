import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  approximateBytes,
  MODEL_SETS,
  type RepositoryFolder,
} from '../../../src/hub/model-sets.ts';
import { cachedModels, freeBytesAround } from '../../../src/pipeline/inspection/model-cache.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'model-cache-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Puts a file into folders of a repository, as a download leaves them. */
function put(repository: string, folders: readonly RepositoryFolder[]): void {
  const root = join(cache, `models--${repository.replace('/', '--')}`);
  mkdirSync(join(root, 'refs'), { recursive: true });
  writeFileSync(join(root, 'refs', 'main'), COMMIT);
  for (const { name } of folders) {
    mkdirSync(join(root, 'snapshots', COMMIT, name), { recursive: true });
    writeFileSync(join(root, 'snapshots', COMMIT, name, 'config.json'), '{}');
  }
}

test('an empty cache lacks everything', () => {
  const found = cachedModels(join(cache, 'not', 'there'));
  expect(found.map(({ missingBytes }) => missingBytes)).toEqual(MODEL_SETS.map(approximateBytes));
});

test('what is there is not missing, and half a repository is', () => {
  const [first] = MODEL_SETS;
  const [transformer, encoders, image] = first!.parts;
  put(transformer!.repository, transformer!.folders);
  put(encoders!.repository, encoders!.folders.slice(1));
  put(image!.repository, image!.folders);
  const [i2v, f1] = cachedModels(cache);
  expect(i2v).toEqual({
    repository: first!.repository,
    missing: [encoders!.repository],
    missingBytes: encoders!.folders[0]!.approximateBytes,
  });
  expect(f1!.missing).toHaveLength(2);
  put(encoders!.repository, encoders!.folders);
  expect(cachedModels(cache)[0]).toMatchObject({ missing: [], missingBytes: 0 });
});

test('a folder that is not there yet has the room of the disk it would be on', async () => {
  const folder = join(cache, 'a', 'b');
  expect(await freeBytesAround(folder)).toBeGreaterThan(0);
  expect(cachedModels(folder)).toHaveLength(MODEL_SETS.length);
  await expect(freeBytesAround(cache)).resolves.toBeGreaterThan(0);
});
