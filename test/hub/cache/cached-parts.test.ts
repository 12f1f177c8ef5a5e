import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findCachedParts } from '../../../src/hub/cache/cached-parts.ts';

const PARTS = [
  { repository: 'a/transformer', folders: [{ name: '', approximateBytes: 5 }] },
  {
    repository: 'a/rest',
    folders: [
      { name: 'vae', approximateBytes: 2 },
      { name: 'tokenizer', approximateBytes: 0 },
    ],
  },
];

test('parts are found by repository, folder and revision; empty folders are none', () => {
  const cache = mkdtempSync(join(tmpdir(), 'cached-parts-'));
  onTestFinished(() => rmSync(cache, { recursive: true }));
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(40)) as [string, string];
  const put = (repository: string, commit: string, folder: string): string => {
    const root = join(cache, `models--${repository.replace('/', '--')}`);
    const path = join(root, 'snapshots', commit, folder);
    mkdirSync(join(root, 'refs'), { recursive: true });
    writeFileSync(join(root, 'refs', 'main'), first);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'config.json'), '{}');
    return path;
  };
  const paths = (revision?: string) =>
    findCachedParts(cache, PARTS, revision).map(({ path }) => path);
  expect(paths()).toEqual([null, null, null]);
  const vae = put('a/rest', first, 'vae');
  mkdirSync(join(vae, '..', 'tokenizer'));
  const transformer = put('a/transformer', second, '');
  expect(paths()).toEqual([null, vae, null]);
  expect(paths(second)).toEqual([join(transformer, ''), vae, null]);
  expect(findCachedParts(cache, PARTS)[1]).toEqual({
    ...{ repository: 'a/rest', name: 'vae', approximateBytes: 2, path: vae },
  });
});
