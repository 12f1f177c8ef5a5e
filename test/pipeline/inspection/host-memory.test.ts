import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostMemory } from '../../../src/pipeline/inspection/host-memory.ts';

const MEMINFO = `MemTotal:       16000 kB
MemFree:          500 kB
MemAvailable:   12000 kB
CommitLimit:     9000 kB
Committed_AS:    2000 kB
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-memory-'));
  mkdirSync(join(folder, 'group'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function system(files: Readonly<Record<string, string>>): ReturnType<typeof hostMemory> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return hostMemory({
    meminfo: join(folder, 'meminfo'),
    overcommit: join(folder, 'overcommit'),
    cgroup: join(folder, 'group'),
  });
}

describe('hostMemory', () => {
  test('of a machine that promises more than it has', async () => {
    expect(await system({ meminfo: MEMINFO, overcommit: '0\n' })).toEqual({
      totalBytes: 16_000 * 1024,
      availableBytes: 12_000 * 1024,
      commitBytes: null,
    });
  });

  test('of one that does not', async () => {
    const { commitBytes } = await system({ meminfo: MEMINFO, overcommit: '2\n' });
    expect(commitBytes).toBe(7000 * 1024);
  });

  test('of a container with a limit, and one without', async () => {
    const limited = { 'group/memory.max': '8192000\n', 'group/memory.current': '2000000\n' };
    expect(await system({ meminfo: MEMINFO, overcommit: '0', ...limited })).toMatchObject({
      totalBytes: 8_192_000,
      availableBytes: 6_192_000,
    });
    expect(await system({ 'group/memory.max': 'max\n' })).toMatchObject({
      totalBytes: 16_000 * 1024,
      availableBytes: 12_000 * 1024,
    });
  });

  test('of a system that tells nothing', async () => {
    const { totalBytes, availableBytes, commitBytes } = await system({});
    expect(totalBytes).toBe(totalmem());
    expect(availableBytes).toBeGreaterThan(0);
    expect(commitBytes).toBeNull();
  });

  test('of this machine', async () => {
    const { totalBytes, availableBytes } = await hostMemory();
    expect(availableBytes).toBeGreaterThan(0);
    expect(availableBytes).toBeLessThanOrEqual(totalBytes);
  });
});
