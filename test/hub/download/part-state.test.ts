import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  bytesWritten,
  emptyState,
  partSize,
  readState,
  removeState,
  writeState,
} from '../../../src/hub/download/part-state.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-state-'));
  file = path.join(folder, 'state.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('the last part is smaller', () => {
  const state = emptyState(10, 4);
  expect([0, 1, 2].map((index) => partSize(state, index))).toEqual([4, 4, 2]);
  expect(state.written).toEqual([0, 0, 0]);
  expect(emptyState(0, 4).written).toEqual([]);
});

test('comes back as it was written, and leaves nothing else', async () => {
  const state = { ...emptyState(10, 4), etag: 'v', written: [4, 1, 0] };
  await writeState(file, state);
  expect(await readState(file, 10)).toEqual(state);
  expect(bytesWritten(state)).toBe(5);
  expect(readdirSync(folder)).toEqual(['state.json']);
  await removeState(file);
  expect(existsSync(file)).toBe(false);
});

test.each([
  ['another size', { version: 1, size: 11, partBytes: 4, etag: null, written: [0, 0, 0] }],
  ['too few parts', { version: 1, size: 10, partBytes: 4, etag: null, written: [0, 0] }],
  [
    'more than a part holds',
    { version: 1, size: 10, partBytes: 4, etag: null, written: [0, 0, 3] },
  ],
  ['another version', { version: 2, size: 10, partBytes: 4, etag: null, written: [0, 0, 0] }],
  ['something else', 'null'],
])('%s is not taken', async (_, content) => {
  writeFileSync(file, JSON.stringify(content));
  expect(await readState(file, 10)).toBeNull();
});

test('a missing file is no state', async () => {
  expect(await readState(file, 10)).toBeNull();
});
