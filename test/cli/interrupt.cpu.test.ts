import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SIGNAL_EXIT_CODES } from '../../src/cli/interrupt.ts';
import { PICTURE, TINY_REQUEST } from '../pipeline/tiny-request.ts';
import { MAIN, runCli } from './run-cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { model, prompt } = TINY_REQUEST;

function generateArguments(numSteps: number): string[] {
  const required = ['--model', model, '--prompt', prompt, '--image', PICTURE];
  const out = path.join(folder, 'a.mp4');
  return ['generate', ...required, '--seconds', '1.2', '--steps', String(numSteps), '--out', out];
}

describe('signals', { timeout: 120_000 }, () => {
  test.each(Object.entries(SIGNAL_EXIT_CODES))(
    '%s ends a run with %i and leaves nothing',
    async (signal, exitCode) => {
      const args = [...generateArguments(90), '--json'];
      const { code } = await runCli(args, (text, kill) => {
        if (text.includes('"step"')) kill(signal as NodeJS.Signals);
      });
      expect(code).toBe(exitCode);
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});

describe('a progress stream that goes away', { timeout: 120_000 }, () => {
  /** Exit status of the command before the first pipe, by a shell. */
  function shell(redirection: string): Promise<number | null> {
    const words = [process.execPath, '--import', 'tsx', MAIN, ...generateArguments(4)];
    const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const line = `${command} ${redirection}; exit \${PIPESTATUS[0]}`;
    const child = spawn('bash', ['-c', line], { stdio: 'ignore' });
    return new Promise((resolve) => child.on('close', resolve));
  }

  test.each([
    '--json | head -1',
    '2>&1 >/dev/null | head -1',
    '2>/dev/full',
    '--json >/dev/full',
    '--json >&- 2>&-',
    '| true',
  ])('%s does not end the run', async (redirection) => {
    expect(await shell(redirection)).toBe(0);
    expect(readdirSync(folder)).toEqual(['a.mp4']);
    expect(readFileSync(path.join(folder, 'a.mp4')).length).toBeGreaterThan(1000);
  });
});
