import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { allocatedBytes, freeBytesOf } from '../../../src/hub/cache/free-space.ts';
import { PullBench } from '../pull-bench.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'framepack-space-'));

afterAll(() => rmSync(folder, { recursive: true }));

test('a folder that is missing is made and has room', async () => {
  expect(await freeBytesOf(path.join(folder, 'a', 'b'))).toBeGreaterThan(0);
});

test('holes and missing files take no room', async () => {
  const [sparse, full] = ['sparse', 'full'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  writeFileSync(sparse, '');
  truncateSync(sparse, 1e9);
  writeFileSync(full, Buffer.alloc(100_000, 1));
  expect(await allocatedBytes([sparse, path.join(folder, 'missing')])).toBe(0);
  expect(await allocatedBytes([full])).toBeGreaterThanOrEqual(100_000);
});

test('no room is told before the first byte', async () => {
  const huge = { path: 'huge.bin', bytes: Buffer.alloc(8), isLfs: true, listedSize: 2 ** 52 };
  await using bench = await PullBench.start([huge]);
  await expect(bench.pull()).rejects.toMatchObject({
    code: 'ERR_DOWNLOAD',
    message: expect.stringContaining('free space'),
    details: { neededBytes: 2 ** 52 },
  });
  expect(bench.hub.served).toEqual([]);
});
