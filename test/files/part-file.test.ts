import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newPartPath, removeDeadParts } from '../../src/files/part-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The name of a part with another owner. */
function ownedBy(change: { place?: string; pid?: number; start?: number }): string {
  const [, place, pid, start, rest] = /^\.framepack-(\w+)-(\d+)-(\d+)(-.*)$/.exec(
    path.basename(newPartPath(folder)),
  )!;
  const owner = [change.place ?? place, change.pid ?? pid, change.start ?? start].join('-');
  return `.framepack-${owner}${rest}`;
}

/** A process that has ended. */
const deadPid = (): number => spawnSync('true').pid;

test('parts of processes that are gone are removed, files and folders', async () => {
  writeFileSync(path.join(folder, ownedBy({ pid: deadPid() })), 'half');
  const dead = path.join(folder, ownedBy({ pid: deadPid() }));
  mkdirSync(dead);
  writeFileSync(path.join(dead, 'frames-0000.rgb'), 'frames');
  await removeDeadParts(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test('so are those of a process whose number another one has now', async () => {
  writeFileSync(path.join(folder, ownedBy({ start: 1 })), 'half');
  await removeDeadParts(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test('parts of living processes, of other computers, and all other files stay', async () => {
  const names = [
    path.basename(newPartPath(folder)),
    ownedBy({ place: '00000000', pid: deadPid() }),
    ...[
      '.framepack-5cf0.part',
      'a.mp4',
      'a.part',
      ownedBy({ pid: deadPid() }).replace('.part', ''),
    ],
  ];
  for (const name of names) writeFileSync(path.join(folder, name), 'mine');
  await removeDeadParts(folder);
  expect(readdirSync(folder).sort()).toEqual(names.toSorted());
  expect(readFileSync(path.join(folder, 'a.mp4'), 'utf8')).toBe('mine');
  await removeDeadParts(path.join(folder, 'none'));
});

test('no two have one name', () => {
  const names = new Set(Array.from({ length: 100 }, () => newPartPath(folder)));
  expect(names.size).toBe(100);
});
