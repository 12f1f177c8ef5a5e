import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJobFile, writeJobFile } from '../../src/jobs/job-document.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-document-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('values and bytes come back, in place of what was there', async () => {
  const file = path.join(folder, 'a.json');
  await writeJobFile(file, { old: true });
  await writeJobFile(file, { prompt: 'A ball.\n', seed: 2n ** 60n, none: undefined });
  expect(await readJobFile(file)).toEqual({ prompt: 'A ball.\n', seed: String(2n ** 60n) });
  await writeJobFile(path.join(folder, 'picture'), Uint8Array.of(0, 255));
  expect([...readFileSync(path.join(folder, 'picture'))]).toEqual([0, 255]);
  expect(readdirSync(folder)).toEqual(['a.json', 'picture']);
});

test('what is missing or no JSON is undefined', async () => {
  const file = path.join(folder, 'a.json');
  expect(await readJobFile(file)).toBeUndefined();
  writeFileSync(file, '{"torn":');
  expect(await readJobFile(file)).toBeUndefined();
});

test('a folder that is not there cannot be written to', async () => {
  const file = path.join(folder, 'none', 'a.json');
  await expect(writeJobFile(file, {})).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    details: { file },
  });
});
