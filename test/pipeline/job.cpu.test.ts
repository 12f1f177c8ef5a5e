import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DoneEvent, SectionEvent } from '../../src/pipeline/events.ts';
import { generate, runGeneration } from '../../src/pipeline/generate.ts';
import type { GenerateRequest } from '../../src/pipeline/request.ts';
import { MAIN } from '../cli/run-cli.ts';
import { collect, TINY_REQUEST } from './tiny-request.ts';

let folder: string;
let job: string;
let request: GenerateRequest;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-job-'));
  job = path.join(folder, 'job');
  request = { ...TINY_REQUEST, seconds: 3.6, steps: 1, job };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs until a section is done, and stops there. */
async function stopAfter(section: number, changed: Partial<GenerateRequest> = {}): Promise<void> {
  for await (const event of generate({ ...request, ...changed })) {
    if (event.type === 'section' && event.section === section) return;
  }
}

interface Result {
  readonly numFrames: number;
  readonly sha256: string;
  readonly resumed: readonly boolean[];
}

async function finish(changed: Partial<GenerateRequest> = {}): Promise<Result> {
  const events = await collect({ ...request, ...changed });
  const shares = events.map(({ percent }) => percent);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  const done = events.at(-1) as DoneEvent;
  const sections = events.filter((event): event is SectionEvent => event.type === 'section');
  const hash = createHash('sha256');
  for (const frame of done.frames) hash.update(frame);
  return {
    numFrames: done.frames.length,
    sha256: hash.digest('hex'),
    resumed: sections.map(({ isResumed }) => isResumed),
  };
}

describe.each(['i2v', 'f1'] as const)('a stopped run of mode %s', { timeout: 120_000 }, (mode) => {
  test('goes on behind its last section to the same frames, and leaves nothing behind', async () => {
    const expected = await finish({ mode, job: undefined });
    expect(expected.resumed).toEqual([false, false, false]);
    await stopAfter(1, { mode });
    expect(readdirSync(job)).toHaveLength(2);
    expect(await finish({ mode })).toEqual({ ...expected, resumed: [true, true, false] });
    expect(existsSync(job)).toBe(false);
  });
});

describe('a job', { timeout: 120_000 }, () => {
  test('that has all sections loads no transformer', async () => {
    const observed = { numLoaded: 0 };
    const observer = {
      tensor: () => {},
      ids: () => {},
      frames: () => {},
      loaded: () => {
        observed.numLoaded++;
      },
    };
    const stopping = runGeneration(
      request,
      (event) => {
        if (event.type === 'section' && event.section === 2) throw new Error('stopped');
      },
      observer,
    );
    await expect(stopping).rejects.toThrow('stopped');
    expect(readdirSync(job)).toHaveLength(3);
    const numWhole = observed.numLoaded;
    observed.numLoaded = 0;
    await runGeneration(request, () => {}, observer);
    expect(observed.numLoaded).toBe(numWhole - 1);
    expect(existsSync(job)).toBe(false);
  });

  test('with a torn section goes on behind the one before it', async () => {
    const expected = await finish({ job: undefined });
    await stopAfter(1);
    truncateSync(path.join(job, 'section-0001.safetensors'), 1000);
    expect(await finish()).toEqual({ ...expected, resumed: [true, false, false] });
    await stopAfter(1);
    writeFileSync(path.join(job, 'section-0000.safetensors'), 'version https://git-lfs');
    expect(await finish()).toEqual({ ...expected, resumed: [false, false, false] });
  });

  test('is refused with another setting, which the error names, and kept', async () => {
    await stopAfter(0);
    const changes: readonly [string, Partial<GenerateRequest>][] = [
      ['prompt', { prompt: 'Another.' }],
      ['picture', { image: undefined }],
      ['seed', { seed: 7 }],
      ['steps', { steps: 3 }],
      ['seconds', { seconds: 1.2 }],
      ['mode', { mode: 'f1' }],
      ['dtype', { dtype: 'bf16' }],
    ];
    for (const [name, changed] of changes) {
      await expect(collect({ ...request, ...changed }), name).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        details: { changed: expect.arrayContaining([name]) },
      });
    }
    expect(readdirSync(job)).toEqual(['section-0000.safetensors']);
  });

  test('may change what concerns decoding and the file', async () => {
    await stopAfter(0);
    const { resumed } = await finish({ tiling: 'full', fps: 15, crf: 30 });
    expect(resumed).toEqual([true, false, false]);
  });

  test('needs a seed that is known, and a folder', async () => {
    for (const seed of ['random', -1] as const) {
      await expect(collect({ ...request, seed })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    expect(existsSync(job)).toBe(false);
    writeFileSync(job, 'a file');
    await expect(collect(request)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(readFileSync(job, 'utf8')).toBe('a file');
  });
});

test('killed at ten moments, the command makes the file of an uninterrupted run', async () => {
  const { model, prompt, image, seconds, steps } = { ...TINY_REQUEST, seconds: 2.4 };
  const settings = { model, prompt, image, seconds, steps };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const start = (out: string, extra: readonly string[]) => {
    const args = ['generate', ...flags, '--quiet', '--out', path.join(folder, out), ...extra];
    return spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: 'ignore' });
  };
  const begun = performance.now();
  const [code] = await once(start('whole.mp4', []), 'exit');
  expect(code).toBe(0);
  const wholeMs = performance.now() - begun;
  for (let kill = 0; kill < 10; kill++) {
    const child = start('resumed.mp4', ['--job', job]);
    const ended = once(child, 'exit');
    await Promise.race([ended, sleep(((kill + 0.5) / 10) * wholeMs)]);
    child.kill('SIGKILL');
    await ended;
    if (existsSync(path.join(folder, 'resumed.mp4'))) break;
  }
  if (!existsSync(path.join(folder, 'resumed.mp4'))) {
    const [last] = await once(start('resumed.mp4', ['--job', job]), 'exit');
    expect(last).toBe(0);
  }
  const [whole, resumed] = ['whole.mp4', 'resumed.mp4'].map((name) =>
    readFileSync(path.join(folder, name)),
  );
  expect(resumed!.equals(whole!)).toBe(true);
}, 240_000);
