import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TINY_MODEL } from './models/tiny-framepack.ts';
import { PICTURE } from './pipeline/tiny-request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-examples-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function run(example: string, ...args: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../examples/${example}.ts`, import.meta.url));
  const command = ['--import', 'tsx', path, ...args];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

describe('examples', { timeout: 120_000 }, () => {
  it('generate-video writes a video', async () => {
    const out = join(folder, 'ball.mp4');
    expect(await run('generate-video', TINY_MODEL, PICTURE, out)).toContain(
      `${out}: 128 x 96, 37 frames`,
    );
    expect(existsSync(out)).toBe(true);
  });

  it('several-videos makes two videos with one model and shows their frames', async () => {
    const lines = (await run('several-videos', TINY_MODEL, PICTURE)).trim().split('\n');
    expect(lines[0]).toMatch(/^[\d.]+ MiB for a video$/);
    expect(lines.slice(1).toSorted()).toEqual([
      'first: frames 0 to 36 of section 1 are final',
      'second: frames 0 to 36 of section 1 are final',
    ]);
  });

  it('pieces plans sections, encodes a text and a picture, and decodes it again', async () => {
    const output = await run('pieces', TINY_MODEL, PICTURE);
    expect(output).toContain('4 sections, the first for positions 28 to 36');
    expect(output).toMatch(/text \[1, \d+, 128\]/);
    expect(output).toContain('latent [1, 16, 1, 12, 16]');
    const [, error] = /decoded \[1, 3, 1, 96, 128\], mean error (\S+)/.exec(output)!;
    expect(Number(error)).toBeLessThan(0.15);
    expect(output).toContain('0 tensors left');
  });

  it('section makes frames of noise that begin with the picture, by hand', async () => {
    const output = await run('section', TINY_MODEL, PICTURE);
    expect(output.match(/^step \d at /gm)).toHaveLength(4);
    expect(output).toContain('latents [1, 16, 9, 12, 16]');
    expect(output).toContain('frames [37, 96, 128, 3]');
    const [, difference] = /the picture (\S+) of 255/.exec(output)!;
    expect(Number(difference)).toBeLessThan(8);
    expect(output).toContain('0 tensors left');
  });

  it.each(['mlp', 'vit'])(
    '%s is equal to plain JavaScript and frees everything',
    async (example) => {
      const output = await run(example);
      const [, difference] = /largest difference (\S+)/.exec(output)!;
      expect(Number(difference)).toBeLessThan(1e-5);
      expect(output).toContain('0 tensors left');
    },
  );

  it('tensor-arithmetic agrees with its definition and frees everything', async () => {
    const output = await run('tensor-arithmetic');
    const [, actual, expected] = /attention (\S+), by hand (\S+)/.exec(output)!;
    expect(Number(actual)).toBeCloseTo(Number(expected), 4);
    expect(output).toContain('0 tensors left');
  });
});
