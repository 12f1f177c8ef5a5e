import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile, writeAt } from '../../../src/weights/files/replace-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-replace-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const text = (file: string): string => readFileSync(file, 'utf8');

test('takes the place of the old file only when all is written', async () => {
  const file = path.join(folder, 'a');
  writeFileSync(file, 'old');
  await replaceFile(file, async (handle) => {
    await writeAt(handle, Buffer.from('new '), 0);
    await writeAt(handle, Buffer.from('content'), 4);
    expect(text(file)).toBe('old');
    expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^\.framepack-.*\.part$/));
  });
  expect(text(file)).toBe('new content');
  expect(readdirSync(folder)).toEqual(['a']);
});

test('what fails leaves the old file and nothing else', async () => {
  const file = path.join(folder, 'a');
  writeFileSync(file, 'old');
  const failing = replaceFile(file, async (handle) => {
    await writeAt(handle, Buffer.from('half'), 0);
    throw new Error('stopped');
  });
  await expect(failing).rejects.toThrow('stopped');
  expect(text(file)).toBe('old');
  expect(readdirSync(folder)).toEqual(['a']);
  await expect(replaceFile(path.join(folder, 'none', 'a'), async () => {})).rejects.toThrow(
    'ENOENT',
  );
});

test('bytes arrive whole where a system writes them in parts', async () => {
  const disk = new Uint8Array(10);
  const write = (bytes: Uint8Array, at: number, length: number, position: number) => {
    const bytesWritten = Math.min(length, 2);
    disk.set(bytes.subarray(at, at + bytesWritten), position);
    return Promise.resolve({ bytesWritten, buffer: bytes });
  };
  await writeAt({ write } as unknown as FileHandle, Uint8Array.of(1, 2, 3, 4, 5), 3);
  expect([...disk]).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 0, 0]);
});
