import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { digestOfFile } from '../../../src/hub/download/digest.ts';

test('computes SHA-256, and the id that git gives a file', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-digest-'));
  const file = path.join(folder, 'hello');
  writeFileSync(file, 'hello\n');
  // `git hash-object` and `sha256sum` of the same bytes.
  expect(await digestOfFile(file, 'git')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
  expect(await digestOfFile(file, 'sha256')).toBe(
    '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  );
  rmSync(folder, { recursive: true });
});
