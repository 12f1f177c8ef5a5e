import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FrameSource } from '../../../src/media/video/video-writer.ts';
import { FinishedFrames } from '../../../src/pipeline/sections/finished-frames.ts';

const FRAME_BYTES = 12;
const frames = (...values: number[]): Uint8Array[] =>
  values.map((value) => new Uint8Array(FRAME_BYTES).fill(value));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-finished-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const open = (job: string | null, out = path.join(folder, 'a.mp4')): FinishedFrames =>
  new FinishedFrames({ job, out, frameBytes: FRAME_BYTES });

async function valuesOf(source: FrameSource): Promise<number[]> {
  const values: number[] = [];
  for await (const frame of source) values.push(frame[0]!);
  expect(values).toHaveLength(source.numFrames);
  return values;
}

describe('frames of a run', () => {
  test('come in time order, whichever end came first, without those that are left out', async () => {
    await using finished = open(null);
    for (const [section, values] of [[], [5, 6], [1, 2, 3]].entries()) {
      await finished.add(section, frames(...values), '');
    }
    const backwards = finished.inOrder(true, 0);
    expect(await valuesOf(backwards)).toEqual([1, 2, 3, 5, 6]);
    expect(await valuesOf(backwards)).toEqual([1, 2, 3, 5, 6]);
    expect(await valuesOf(finished.inOrder(true, 2))).toEqual([3, 5, 6]);
    expect(await valuesOf(finished.inOrder(false, 3))).toEqual([2, 3]);
    expect(await finished.read(1)).toEqual(frames(5, 6));
  });

  test('are in one folder beside the video, which goes with the run', async () => {
    const finished = open(null);
    await finished[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
    for (const section of [0, 1]) await finished.add(section, frames(section), '');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.framepack-.*\.part$/)]);
    await finished[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('go to the temporary folder where that of the video takes none', async () => {
    vi.stubEnv('TMPDIR', folder);
    const finished = open(null, '/dev/null/a.mp4');
    await finished.add(0, frames(7), '');
    expect(readdirSync(folder)).toHaveLength(1);
    expect(await finished.read(0)).toEqual(frames(7));
    await finished.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that fit nowhere are an error', async () => {
    for (const name of ['TMPDIR', 'HOME']) vi.stubEnv(name, '/dev/null/none');
    await expect(open(null, '/dev/null/a.mp4').add(0, frames(7), '')).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
  });
});

describe('frames of a job', () => {
  test('stay in its folder until they are removed, and are found again', async () => {
    const first = open(folder);
    for (const section of [0, 1, 2]) await first.add(section, frames(section), `origin ${section}`);
    await first[Symbol.asyncDispose]();
    const second = open(folder);
    expect(await second.find(['origin 0', 'origin 1'])).toBe(2);
    expect(await second.read(1)).toEqual(frames(1));
    expect(await open(folder).find(['origin 0', 'other'])).toBe(1);
    truncateSync(path.join(folder, 'frames-0000.rgb'), 515);
    expect(await open(folder).find(['origin 0', 'origin 1'])).toBe(0);
    expect(await open(null).find(['origin 0'])).toBe(0);
    await second.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('do not go elsewhere', async () => {
    const job = path.join(folder, 'none');
    await expect(open(job).add(0, frames(1), '')).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(existsSync(job)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});
