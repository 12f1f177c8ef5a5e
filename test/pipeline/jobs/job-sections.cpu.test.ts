import { createHash } from 'node:crypto';
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SectionEvent } from '../../../src/pipeline/events.ts';
import { generate, runGeneration } from '../../../src/pipeline/generate.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
import { collect, framesOf, TINY_REQUEST } from '../tiny-request.ts';

let folder: string;
let job: string;
let request: GenerateRequest;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-job-'));
  job = path.join(folder, 'job');
  request = { ...TINY_REQUEST, seconds: 3.6, steps: 1, job };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Names of the checkpoints. */
const sections = (): string[] => readdirSync(job).filter((name) => name.startsWith('section-'));

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
  const sections = events.filter((event): event is SectionEvent => event.type === 'section');
  const frames = framesOf(events);
  return {
    numFrames: frames.length,
    sha256: createHash('sha256').update(Buffer.concat(frames)).digest('hex'),
    resumed: sections.map(({ isResumed }) => isResumed),
  };
}

describe.each(['i2v', 'f1'] as const)('a stopped run of mode %s', { timeout: 240_000 }, (mode) => {
  test('goes on behind its last section to the same frames, and once more from all of them', async () => {
    const expected = await finish({ mode, job: undefined });
    expect(expected.resumed).toEqual([false, false, false]);
    await stopAfter(1, { mode });
    expect(sections()).toHaveLength(2);
    expect(await finish({ mode })).toEqual({ ...expected, resumed: [true, true, false] });
    expect(await finish({ mode })).toEqual({ ...expected, resumed: [true, true, true] });
  });
});

describe('a job', { timeout: 240_000 }, () => {
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
    expect(sections()).toHaveLength(3);
    const numWhole = observed.numLoaded;
    observed.numLoaded = 0;
    await runGeneration(request, () => {}, observer);
    expect(observed.numLoaded).toBe(numWhole - 1);
  });

  test('with a torn section goes on behind the one before it', async () => {
    await stopAfter(1);
    const expected = await finish();
    rmSync(path.join(job, 'section-0002.safetensors'));
    truncateSync(path.join(job, 'section-0001.safetensors'), 1000);
    expect(await finish()).toEqual({ ...expected, resumed: [true, false, false] });
    writeFileSync(path.join(job, 'section-0000.safetensors'), 'version https://git-lfs');
    // The second follows from the first, which comes out the same.
    expect(await finish()).toEqual({ ...expected, resumed: [false, true, true] });
  });

  test('does not take the section of another history', async () => {
    await stopAfter(1, { seed: 1 });
    const other = path.join(folder, 'other');
    await stopAfter(0, { seed: 1, job: other });
    rmSync(path.join(job, 'section-0000.safetensors'));
    await stopAfter(0, { seed: 2, job });
    await expect(finish({ seed: 1 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const { resumed } = await finish({ seed: 2 });
    expect(resumed).toEqual([true, false, false]);
  });
});

describe('a job with another request', { timeout: 240_000 }, () => {
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
    expect(sections()).toEqual(['section-0000.safetensors']);
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
