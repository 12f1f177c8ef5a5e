import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { linesOf } from '../../../src/cli/commands/convert.ts';
import type { ConvertEvent } from '../../../src/index.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { writeTinyLora } from '../../pipeline/inputs/tiny-lora.ts';
import { runCli } from '../run-cli.ts';

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-convert-'));
  target = join(folder, 'out.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('framepack convert', { timeout: 60_000 }, () => {
  test('prints the file on stdout and the rest on stderr', async () => {
    const lora = `${writeTinyLora(folder, 3)}:0.5`;
    const args = ['convert', TINY_MODEL, target, '--fp8', 'block64', '--lora', lora];
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${target}\n` });
    expect(stderr).toContain('66 matrices become fp8');
    expect(stderr).toContain('style-3.safetensors at 0.5: 4 tensors matched');
    expect(existsSync(target)).toBe(true);
  });

  test('prints nothing but the file with --quiet, and refuses to overwrite it', async () => {
    const args = ['convert', TINY_MODEL, target, '--dtype', 'f16', '--quiet'];
    expect(await runCli(args)).toEqual({ code: 0, stdout: `${target}\n`, stderr: '' });
    expect(await runCli(args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--force'),
    });
    expect(await runCli([...args, '--force'])).toMatchObject({ code: 0 });
  });

  test('prints events as JSON', async () => {
    const { stdout } = await runCli(['convert', TINY_MODEL, target, '--fp8', 'tensor', '--json']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ type: 'plan', numQuantized: 66, file: target });
    expect(events.at(-1)).toMatchObject({ type: 'done', numQuantized: 66, file: target });
  });

  test('without anything to do is a wrong command line', async () => {
    expect(await runCli(['convert', TINY_MODEL, target])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected fp8, dtype or loras, got none of them'),
    });
  });
});

const PLAN = {
  ...({ type: 'plan' } as const),
  ...{ source: 'in', file: '/out', sourceBytes: 2e9, bytes: 1e9, freeBytes: 5e9 },
  ...{ numQuantized: 440, numKept: 0, loras: [], leftOut: [] },
};
const LORA = { file: 'a', scale: 1, sha256: '', numMatched: 3, unmatched: ['t'] };

test.each<[ConvertEvent, string[]]>([
  [PLAN, ['in (2.0 GB) to /out (1.0 GB, 5.0 GB free)', '440 matrices become fp8']],
  [
    { ...PLAN, numQuantized: 0, numKept: 440, leftOut: ['a', 'b', 'c', 'd', 'e'] },
    [
      'in (2.0 GB) to /out (1.0 GB, 5.0 GB free)',
      '440 tensors stay fp8',
      'warning: tensors that are not in the result: a, b, c, d and 1 more',
    ],
  ],
  [
    { ...PLAN, numQuantized: 0, loras: [LORA] },
    [
      'in (2.0 GB) to /out (1.0 GB, 5.0 GB free)',
      'lora a at 1: 3 tensors matched',
      'warning: of a, tensors that belong to nothing: t',
    ],
  ],
  [
    {
      ...({ type: 'progress', tensor: 'x', bytes: 5e8, totalBytes: 1e9 } as const),
      ...{ bytesPerSecond: 5e8, etaMs: 1000 },
    },
    [' 50 % x, 500.0 MB/s, 1 s left'],
  ],
])('%j is told as %j', (event, lines) => {
  expect(linesOf(event)).toEqual(lines);
});
