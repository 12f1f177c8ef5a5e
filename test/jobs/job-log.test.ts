import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JobLog } from '../../src/jobs/job-log.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-log-'));
  file = path.join(folder, 'log.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const entries = (): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

test('has one object a line, with its time, behind those of an earlier run', () => {
  for (const type of ['plan', 'done']) {
    using log = JobLog.open(file);
    log.write({ type });
  }
  expect(entries()).toEqual([
    { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), type: 'plan' },
    { time: expect.any(String), type: 'done' },
  ]);
});

test('is on the disk before it is closed, without pictures, with large numbers as text', () => {
  using log = JobLog.open(file);
  const preview = { width: 1, data: new Uint8Array(3) };
  log.write({ type: 'section', seed: 2n ** 60n, frames: [new Uint8Array(3)], preview, list: [1] });
  expect(entries()).toEqual([
    {
      ...{ time: expect.any(String), type: 'section', seed: String(2n ** 60n) },
      ...{ preview: { width: 1 }, list: [1] },
    },
  ]);
});

test('ends a torn line before it goes on', () => {
  appendFileSync(file, '{"type":"ste');
  using log = JobLog.open(file);
  log.write({ type: 'plan' });
  const [torn, next] = readFileSync(file, 'utf8').split('\n');
  expect(torn).toBe('{"type":"ste');
  expect(JSON.parse(next!)).toMatchObject({ type: 'plan' });
});

test('ignores what comes when it is closed, and says where it cannot be', () => {
  const log = JobLog.open(file);
  log[Symbol.dispose]();
  log[Symbol.dispose]();
  log.write({ type: 'late' });
  expect(readFileSync(file, 'utf8')).toBe('');
  expect(() => JobLog.open(path.join(folder, 'none', 'log.jsonl'))).toThrow(
    expect.objectContaining({ code: 'ERR_OUTPUT' }),
  );
});
