import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lineOf } from '../../../src/cli/commands/pull.ts';
import { PullBench, weights } from '../../hub/pull-bench.ts';
import { runCli } from '../run-cli.ts';

let bench: PullBench;

beforeEach(async () => {
  bench = await PullBench.start();
});

afterEach(() => bench[Symbol.asyncDispose]());

describe('framepack pull', { timeout: 60_000 }, () => {
  test('prints the folder on stdout and the rest on stderr', async () => {
    const { code, stdout, stderr } = await pull('owner/model');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(existsSync(path.join(stdout.trim(), weights.path))).toBe(true);
    expect(stderr).toContain('3 files');
  });

  test('prints nothing but the folder with --quiet', async () => {
    const { code, stdout, stderr } = await pull('owner/model', '--quiet');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(path.join(stdout.trim(), weights.path))).toBe(true);
  });

  test('prints events as JSON', async () => {
    const { stdout } = await pull('owner/model', '--json');
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type);
    expect([types[0], types.at(-1)]).toEqual(['plan', 'done']);
  });

  test('a source that is none ends with 2, a hub that has none with 1', async () => {
    expect(await pull('nonsense')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('lllyasviel/FramePackI2V_HY'),
    });
    expect(await pull('owner/missing')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_DOWNLOAD'),
    });
  });
});

describe('framepack pull --fp8', { timeout: 60_000 }, () => {
  test('refuses a file that is there before anything is fetched', async () => {
    const out = path.join(bench.cacheFolder, 'there.safetensors');
    writeFileSync(out, 'mine');
    const { code, stderr } = await pull('owner/model', '--fp8', 'channel', '--out', out);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect(bench.hub.served).toEqual([]);
  });

  test('--out alone is a wrong command line', async () => {
    expect(await pull('owner/model', '--out', 'x.safetensors')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--fp8'),
    });
  });
});

function pull(...args: string[]) {
  const { endpoint } = bench.hub;
  return runCli(['pull', ...args, '--cache', bench.cacheFolder], undefined, {
    HF_ENDPOINT: endpoint,
  });
}

test.each([
  [
    { type: 'progress', file: 'a', bytes: 1e9, totalBytes: 4e9, bytesPerSecond: 5e7, etaMs: 6e4 },
    ' 25 % a, 50.0 MB/s, 60 s left',
  ],
  [
    { type: 'progress', file: 'a', bytes: 0, totalBytes: 4e9, bytesPerSecond: null, etaMs: null },
    '  0 % a',
  ],
  [{ type: 'file', file: 'a', size: 512, wasCached: true }, 'there  a (512 B)'],
  [{ type: 'file', file: 'a', size: 2.5e10, wasCached: false }, 'fetched a (25.0 GB)'],
  [{ type: 'retry', file: 'a', reason: 'busy', waitMs: 120_000 }, 'a: busy; again in 2 min'],
  [{ type: 'verify', file: 'a' }, 'verifying a'],
  [{ type: 'wait', file: 'a' }, 'a: waiting for another process that fetches it'],
] as const)('%j is told as %j', (event, line) => {
  expect(lineOf(event)).toBe(line);
});
