import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readTextFile } from '../../../src/weights/files/text-file.ts';

function file(content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'text-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.json');
  writeFileSync(path, content);
  return path;
}

it('reads UTF-8 with or without a byte order mark', () => {
  expect(readTextFile(file('{"ä":1}'), 100)).toBe('{"ä":1}');
  expect(readTextFile(file('\uFEFF{}'), 100)).toBe('{}');
});

it.each<[string, string | Uint8Array, string]>([
  ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x7b, 0), 'text in UTF-8'],
  ['a pointer', 'version https://git-lfs.github.com/spec/v1\n', 'a Git LFS pointer'],
  ['too much', 'x'.repeat(101), 'at most 100 bytes, got 101'],
])('refuses %s', (_, content, message) => {
  expect(() => readTextFile(file(content), 100)).toThrow(
    expect.objectContaining({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(message),
    }),
  );
});

it('refuses a folder and nothing', () => {
  expect(() => readTextFile(tmpdir(), 100)).toThrow('expected a file, got none');
  expect(() => readTextFile(join(tmpdir(), 'no such file'), 100)).toThrow('got none');
});
