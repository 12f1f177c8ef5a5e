import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PICTURE, TINY_REQUEST } from '../../pipeline/tiny-request.ts';
import { runCli } from '../run-cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-cli-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const command = (...more: readonly string[]): string[] => {
  const { model, prompt } = TINY_REQUEST;
  const required = ['--model', model, '--prompt', prompt, '--image', PICTURE];
  return ['generate', ...required, '--seconds', '1.2', '--out', join(folder, 'a.mp4'), ...more];
};

describe('framepack generate', { timeout: 120_000 }, () => {
  it('writes the video and prints its path', async () => {
    const { code, stdout, stderr } = await runCli(command('--steps', '1', '--seed', '3'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${join(folder, 'a.mp4')}\n` });
    expect(stderr).toMatch(/done: 37 frames \(1\.2 s\), seed 3, peak \d+ MiB/);
    expect(readdirSync(folder)).toEqual(['a.mp4']);
  });

  it('prints nothing but the path with --quiet', async () => {
    const { code, stdout, stderr } = await runCli(command('--steps', '1', '--quiet'));
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 0, stdout: `${join(folder, 'a.mp4')}\n`, stderr: '' },
    });
  });

  it('overwrites with --force, and only then', async () => {
    const file = join(folder, 'a.mp4');
    writeFileSync(file, 'old');
    const refused = await runCli(command('--steps', '1', '--quiet'));
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/a\.mp4 expected a new file name.*--force.*ERR_OUTPUT/);
    expect(readFileSync(file, 'utf8')).toBe('old');
    const forced = await runCli(command('--steps', '1', '--quiet', '--force'));
    expect(forced).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(readFileSync(file).length).toBeGreaterThan(1000);
    expect(readdirSync(folder)).toEqual(['a.mp4']);
  });

  it('prints one JSON object an event', async () => {
    const seed = String(2n ** 64n - 1n);
    const { stdout } = await runCli(command('--steps', '2', '--seed', seed, '--json'));
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ type: 'done', width: 128, height: 96 });
    expect(events[0]).toMatchObject({ type: 'plan', numFrames: 37, seed });
    expect(events.at(-1)).toMatchObject({ seed });
    expect(stdout).not.toContain('"frames"');
  });

  it('leaves no half-written file on Ctrl-C and says so with code 130', async () => {
    const { code, stdout, stderr } = await runCli(
      command('--steps', '90', '--json'),
      (text, kill) => {
        if (text.includes('"step"')) kill('SIGINT');
      },
    );
    expect(code).toBe(130);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ code: 'ERR_ABORTED' });
    expect(stderr).not.toContain('framepack:');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails with code 1 and one sentence when the input is bad', async () => {
    const { code, stderr } = await runCli(command('--image', join(folder, 'none.png')));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^framepack: .*none\.png.* \(ERR_IMAGE\)\n$/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
