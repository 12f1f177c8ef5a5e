import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freeName } from '../../src/cli/free-name.ts';

test('counts up past videos and past folders of pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-names-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(freeName(folder, 'a')).toBe(join(folder, 'a.mp4'));
  writeFileSync(join(folder, 'a.mp4'), '');
  mkdirSync(join(folder, 'a-2-frames'));
  expect(freeName(folder, 'a')).toBe(join(folder, 'a-3.mp4'));
});
