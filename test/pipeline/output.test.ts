import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openOutput } from '../../src/pipeline/output.ts';
import { frameSource } from '../media/sample-media.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-output-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const options = () => ({ path: join(folder, 'a.mp4'), width: 32, height: 32, fps: 30 });
const FRAMES = frameSource([new Uint8Array(32 * 32 * 3), new Uint8Array(32 * 32 * 3).fill(200)]);

describe('openOutput', () => {
  it('writes all frames and returns the path', async () => {
    const output = await openOutput(options());
    const seen: number[] = [];
    const file = await output.write(FRAMES, { beforeFrame: (index) => seen.push(index) });
    expect(seen).toEqual([0, 1]);
    await output[Symbol.asyncDispose]();
    expect(file).not.toBeNull();
    expect(existsSync(file!)).toBe(true);
  });

  it('says when pictures stand in for a video that nothing here can make, and only then', async () => {
    const tooSmall = { ...options(), width: 2, height: 2 };
    vi.stubEnv('PATH', folder);
    const outputs = [
      await openOutput({ ...tooSmall, path: join(folder, 'video.mp4') }),
      await openOutput({ ...tooSmall, path: join(folder, 'pictures/') }),
      await openOutput({ ...tooSmall, path: join(folder, 'asked.mp4'), encoder: 'png' }),
      await openOutput(null),
    ];
    vi.unstubAllEnvs();
    expect(outputs.map(({ isFallback }) => isFallback)).toEqual([true, false, false, false]);
    for (const output of outputs) await output[Symbol.asyncDispose]();
  });

  it('stops between frames', async () => {
    const output = await openOutput(options());
    let numFrames = 0;
    const stop = (): void => {
      if (numFrames++ === 1) throw new Error('stop');
    };
    await expect(output.write(FRAMES, { beforeFrame: stop })).rejects.toThrow('stop');
    await output[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing when disposed first', async () => {
    const output = await openOutput(options());
    expect(readdirSync(folder)).toHaveLength(1);
    await output[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps frames in memory when no file is asked for', async () => {
    const output = await openOutput(null);
    expect(await output.write(FRAMES)).toBeNull();
    await output[Symbol.asyncDispose]();
  });
});
