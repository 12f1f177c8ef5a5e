import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgram } from '../../../../src/cli/program.ts';
import { repositoryPath } from '../../../tokenizers/vocabularies.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-plan-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

/** What the command prints. */
async function plan(...args: string[]): Promise<string> {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  await createProgram(false).parseAsync(['plan', ...args], { from: 'user' });
  return printed.mock.calls.flat().join('\n');
}

describe('framepack plan', () => {
  test('draws the packing and prints tokens by group and section', async () => {
    const printed = await plan('symmetric', '--size', '480x832', '--seconds', '60');
    await expect(`${printed}\n`).toMatchFileSnapshot('plan.txt');
    expect(printed).toContain('1-50  0-428     4108  14040   18148');
  });

  test('prints the numbers as JSON', async () => {
    const { sections, ...facts } = JSON.parse(await plan('f1k1_g4', '--json', '--size', '384x640'));
    expect(facts).toMatchObject({ schedule: 'f1k1_g4', order: 'vanilla', height: 384, width: 640 });
    expect(facts).toMatchObject({ seconds: 5, fps: 30, numFrames: 145, maxTokens: 5 * 960 });
    expect(sections).toHaveLength(9);
  });

  test('writes the picture of the documentation, and replaces a file only with --force', async () => {
    const file = join(folder, 'f1.svg');
    await plan('f1', '--svg', file);
    const picture = readFileSync(repositoryPath('docs/schedules/f1.svg'), 'utf8');
    expect(readFileSync(file, 'utf8')).toBe(picture);
    writeFileSync(file, 'mine');
    await expect(plan('f1', '--svg', file)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: `plan: svg expected no existing file without --force, got ${file}`,
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await plan('f1', '--svg', file, '--force');
    expect(readFileSync(file, 'utf8')).toBe(picture);
    await expect(plan('f1', '--svg', join(folder, 'no', 'f1.svg'))).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
  });

  test.each([
    [['symetric'], 'ERR_ARGUMENT'],
    [['f1k1_g9', '--size', '480x830'], 'ERR_ARGUMENT'],
    [['f1k1_g9', '--seconds', '0'], 'ERR_ARGUMENT'],
    [['f1k1_g9_x_f1k1'], 'ERR_UNSUPPORTED'],
    [['f1', '--size', '480'], 'commander.invalidArgument'],
  ])('refuses %j with %s', async (args, code) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await expect(plan(...args)).rejects.toMatchObject({ code });
  });
});
