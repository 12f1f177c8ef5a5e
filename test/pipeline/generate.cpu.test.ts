import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { decodeImage } from '../../src/media/decode-image.ts';
import type { DoneEvent, GenerateEvent } from '../../src/pipeline/events.ts';
import { generate, runGeneration } from '../../src/pipeline/generate.ts';
import { brokenModel } from './checks/broken-model.ts';
import { collect, framesOf, TINY_REQUEST } from './tiny-request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-generate-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The pixels of a folder of numbered pictures. */
async function pngFrames(pictures: string): Promise<Uint8Array[]> {
  const files = readdirSync(pictures).sort();
  return Promise.all(files.map(async (name) => (await decodeImage(join(pictures, name))).data));
}

function doneOf(events: readonly GenerateEvent[]): DoneEvent {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error('the last event is not done');
  return last;
}

function nameOf(event: GenerateEvent): string {
  if (event.type === 'step') return `step${event.step}`;
  if (event.type !== 'stage') return event.type;
  return event.stage === 'load' ? `load ${event.part}` : event.stage;
}

describe('generate, its events', { timeout: 120_000 }, () => {
  it('reports every stage, step and section in order, and writes the video', async () => {
    const out = join(folder, 'video.mp4');
    const events = await collect({ ...TINY_REQUEST, seconds: 2.4, out, preview: 'png' });
    const section = ['sample', 'step1', 'step2', 'decode', 'section'];
    const done = doneOf(events);
    const [written, other] = [true, false].map((isWrite) =>
      events.filter(({ type }) => (type === 'write') === isWrite),
    );
    expect(other!.map(nameOf)).toEqual([
      ...['plan', 'load text_encoder', 'encode-text', 'load text_encoder_2', 'encode-text'],
      ...['load image_encoder', 'encode-image', 'load vae', 'encode-image'],
      ...['load transformer', 'load vae', ...section, ...section, 'write', 'done'],
    ]);
    expect(written!.map((event) => 'numWritten' in event && event.numWritten)).toEqual(
      Array.from({ length: 18 }, (_, i) => 4 * (i + 1)),
    );
    expect(events.slice(-19)).toEqual([...written!, done]);
    expect(events[0]).toMatchObject({
      ...{ width: 128, height: 96, fps: 30, numFrames: 73, seconds: 73 / 30 },
      ...{ mode: 'i2v', seed: 31337, numSections: 2, numSteps: 2 },
    });
    expect(done).toMatchObject({ file: out, width: 128, height: 96, fps: 30, seed: 31337 });
    expect(done.numFrames).toBe(73);
    expect(framesOf(events)).toHaveLength(73);
    expect(done.peakBytes).toBeGreaterThan(1e6);
    expect(existsSync(out)).toBe(true);
    expect(readdirSync(folder)).toEqual(['video.mp4']);
    for (const { preview } of events.filter((event) => event.type === 'step')) {
      expect(preview).toMatchObject({ format: 'png', width: 9 * 16, height: 12 });
      expect(await decodeImage(preview!.data)).toMatchObject({ width: 9 * 16, height: 12 });
    }
  });

  it('reports progress that never falls, is below 100 until the end, and estimates what remains', async () => {
    const out = join(folder, 'video.mp4');
    const events = await collect({ ...TINY_REQUEST, seconds: 2.4, out });
    const shares = events.map(({ percent }) => percent);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(100);
    expect(Math.max(...shares.slice(0, -1))).toBeLessThan(100);
    const firstStep = events.findIndex(({ type }) => type === 'step');
    for (const [index, { etaMs }] of events.entries()) {
      if (index < firstStep) expect(etaMs).toBeNull();
      else if (index < events.length - 1) expect(etaMs).toBeGreaterThan(0);
      else expect(etaMs).toBe(0);
    }
  });

  it.each([
    { mode: 'i2v' },
    { mode: 'f1' },
    { mode: 'i2v', image: undefined },
    { mode: 'f1', image: undefined },
  ] as const)(
    'gives the frames of each section with their place in the video, as they are written: %j',
    async (change) => {
      const out = join(folder, 'frames/');
      const events = await collect({ ...TINY_REQUEST, ...change, seconds: 2.4, steps: 1, out });
      const frames = framesOf(events);
      expect(frames).toHaveLength(doneOf(events).numFrames);
      const written = await pngFrames(out);
      expect(written.length).toBe(frames.length);
      expect(written.every((frame, index) => Buffer.compare(frame, frames[index]!) === 0)).toBe(
        true,
      );
    },
  );
});

describe('generate, while it writes', { timeout: 240_000 }, () => {
  it('holds no frames of the sections but on the disk', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const sections: WeakRef<Uint8Array>[][] = [];
    let numHeld = Number.NaN;
    const request = { ...TINY_REQUEST, mode: 'f1', seconds: 3.6, steps: 1 } as const;
    for await (const event of generate({ ...request, out: join(folder, 'frames/') })) {
      if (event.type === 'section') sections.push(event.frames.map((frame) => new WeakRef(frame)));
      if (event.type !== 'stage' || event.stage !== 'write') continue;
      await sleep(1);
      collectGarbage();
      // The newest may still be on its way out of the loop.
      numHeld = sections
        .slice(0, -1)
        .flat()
        .filter((frame) => frame.deref()).length;
    }
    expect(sections.map(({ length }) => length)).toEqual([4, 36, 69]);
    expect(numHeld).toBe(0);
    expect(readdirSync(join(folder, 'frames'))).toHaveLength(109);
    expect(readdirSync(folder)).toEqual(['frames']);
  });
});

describe('generate, asked for', { timeout: 120_000 }, () => {
  it('repeats a seed exactly, on any number of threads, and changes with it', async () => {
    const run = async (change: object): Promise<Uint8Array> =>
      Buffer.concat(framesOf(await collect({ ...TINY_REQUEST, ...change })));
    const first = await run({ seed: 1 });
    expect(await run({ seed: 1, threads: 1 })).toEqual(first);
    expect(await run({ seed: 2 })).not.toEqual(first);
    expect(await run({ seed: 1, prompt: 'A cyan ball rolls to the left.' })).not.toEqual(first);
  });

  it('follows the picture, and without one starts from grey, is not dark, and loses nine frames', async () => {
    const brightness = (frame: Uint8Array): number =>
      frame.reduce((sum, value) => sum + value, 0) / frame.length;
    const pictured = framesOf(await collect({ ...TINY_REQUEST, steps: 4 }));
    expect(brightness(pictured[0]!)).toBeGreaterThan(150);
    const { image: _, ...blank } = TINY_REQUEST;
    const events = await collect({ ...blank, steps: 4 });
    const fromGrey = framesOf(events);
    expect(events[0]).toMatchObject({ type: 'plan', numFrames: 28, seconds: 28 / 30 });
    expect(events[0]).toMatchObject({ device: { kind: 'cpu', whyNoGpu: expect.any(String) } });
    expect(fromGrey).toHaveLength(28);
    for (const frame of fromGrey) expect(brightness(frame)).toBeGreaterThan(60);
    const fromBlack = framesOf(await collect({ ...blank, steps: 4, start: 'black' }));
    expect(brightness(fromBlack[0]!)).toBeLessThan(50);
  });

  it('runs forwards too, with guidance, in bf16 and in tiles', async () => {
    const request = { ...TINY_REQUEST, mode: 'f1', cfg: 2, guidanceRescale: 0.5 } as const;
    const done = doneOf(await collect({ ...request, dtype: 'bf16', tiling: 'full', steps: 1 }));
    expect(done.numFrames).toBe(37);
  });
});

describe('generate with a step cache', { timeout: 120_000 }, () => {
  it('warns once of each input that it does not hear, behind the plan', async () => {
    const inactive = { negativePrompt: 'blur', guidanceRescale: 0.5, crf: 20 };
    const events = await collect({ ...TINY_REQUEST, ...inactive, steps: 1 });
    expect(events.slice(0, 4).map(({ type }) => type)).toEqual([
      ...['plan', 'warning', 'warning', 'warning'],
    ]);
    expect(events.filter(({ type }) => type === 'warning')).toHaveLength(3);
  });

  it('saves blocks with the step cache', async () => {
    const events = await collect({ ...TINY_REQUEST, steps: 8, stepCache: 10 });
    const cached = events.filter((event) => event.type === 'step' && event.isCached);
    // The first and the last step always run.
    expect(cached).toHaveLength(6);
  });

  it.each(['tea', 'mag', 'first-block'] as const)(
    'stays near the plain video with the step cache %s',
    async (stepCache) => {
      const request = { ...TINY_REQUEST, steps: 12 };
      const plain = framesOf(await collect(request));
      const events = await collect({ ...request, stepCache });
      const numCached = events.filter((event) => event.type === 'step' && event.isCached).length;
      expect(numCached).toBeGreaterThanOrEqual(2);
      const differences = framesOf(events).map((frame, index) =>
        frame.reduce((sum, value, at) => sum + (value - plain[index]![at]!) ** 2, 0),
      );
      const numBytes = plain.length * plain[0]!.length;
      const meanSquare = differences.reduce((sum, value) => sum + value, 0) / numBytes;
      expect(10 * Math.log10(255 ** 2 / meanSquare)).toBeGreaterThan(30);
    },
  );
});

describe('generate, stopped', { timeout: 120_000 }, () => {
  it('ends with ERR_ABORTED, leaves no file, and the next run works', async () => {
    const out = join(folder, 'video.mp4');
    const abort = new AbortController();
    const seen: string[] = [];
    const run = async (): Promise<void> => {
      const request = { ...TINY_REQUEST, steps: 50, out, signal: abort.signal };
      for await (const event of generate(request)) {
        seen.push(event.type);
        if (event.type === 'step') abort.abort(new Error('enough'));
      }
    };
    await expect(run()).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: { message: 'enough' },
    });
    expect(seen.filter((type) => type === 'step').length).toBeLessThan(4);
    expect(readdirSync(folder)).toEqual([]);
    expect(doneOf(await collect({ ...TINY_REQUEST, steps: 1, out })).file).toBe(out);
  });

  it('stops while the video is written', async () => {
    const out = join(folder, 'video.mp4');
    const abort = new AbortController();
    const run = async (): Promise<void> => {
      const request = { ...TINY_REQUEST, steps: 1, out, signal: abort.signal };
      for await (const event of generate(request)) {
        if (event.type === 'stage' && event.stage === 'write') abort.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not start when the signal has fired', async () => {
    const request = { ...TINY_REQUEST, signal: AbortSignal.abort() };
    await expect(collect(request)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it('stops when the loop is left', async () => {
    const out = join(folder, 'video.mp4');
    for await (const event of generate({ ...TINY_REQUEST, steps: 50, out })) {
      if (event.type === 'step') break;
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('generate, given bad input', { timeout: 120_000 }, () => {
  const expectFailure = async (change: object, code: string, text: RegExp): Promise<void> => {
    const out = join(folder, 'video.mp4');
    const before = readdirSync(folder);
    const failure = collect({ ...TINY_REQUEST, out, ...change });
    await expect(failure).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    expect(readdirSync(folder)).toEqual(before);
  };

  it('names a model folder that is not there or is none', async () => {
    await expectFailure({ model: join(folder, 'nothing') }, 'ERR_CHECKPOINT', /nothing/);
    await expectFailure({ model: folder }, 'ERR_CHECKPOINT', /transformer/);
  });

  it('names a picture that is missing, empty or no picture', async () => {
    await expectFailure({ image: join(folder, 'no.png') }, 'ERR_IMAGE', /no\.png/);
    const text = join(folder, 'text.png');
    writeFileSync(text, 'not a picture');
    await expectFailure({ image: text }, 'ERR_IMAGE', /text\.png/);
    await expectFailure({ image: new Uint8Array() }, 'ERR_IMAGE', /image/);
  });

  it('never overwrites, and says when the folder is missing', async () => {
    const taken = join(folder, 'taken.mp4');
    writeFileSync(taken, 'mine');
    await expectFailure({ out: taken }, 'ERR_OUTPUT', /an existing one/);
    expect(readFileSync(taken, 'utf8')).toBe('mine');
    await expectFailure({ out: join(folder, 'a', 'b.mp4') }, 'ERR_OUTPUT', /./);
  });

  it('names the network whose weights are corrupt', async () => {
    const { truncated, renamed, misconfigured } = brokenModel(folder);
    await expectFailure({ model: truncated }, 'ERR_CHECKPOINT', /vae/);
    await expectFailure({ model: renamed }, 'ERR_CHECKPOINT', /proj_out\.bias/);
    await expectFailure({ model: misconfigured }, 'ERR_CHECKPOINT', /transformer.*rope_axes_dim/);
  });

  it('stops a run whose numbers break, naming section and step', async () => {
    const { notFinite } = brokenModel(folder);
    await expectFailure({ model: notFinite }, 'ERR_NUMERIC', /section 0 step 0/);
  });

  it('refuses to outgrow its budget, and the next run works', async () => {
    await expectFailure({ budgetBytes: 2 ** 24 }, 'ERR_OUT_OF_MEMORY', /./);
    expect(doneOf(await collect({ ...TINY_REQUEST, steps: 1 })).numFrames).toBe(37);
  });

  it('loads the networks in turn when they do not fit together', async () => {
    const free = await collect(TINY_REQUEST);
    const budgetBytes = doneOf(free).peakBytes;
    const tight = await collect({ ...TINY_REQUEST, budgetBytes });
    expect(Buffer.concat(framesOf(tight))).toEqual(Buffer.concat(framesOf(free)));
  });
});

describe('a device that is full before a section is complete', { timeout: 120_000 }, () => {
  /** Runs, with so many allocations failing where the first section begins. */
  async function runWithFailures(numFailures: number): Promise<GenerateEvent[]> {
    const events: GenerateEvent[] = [];
    let left = numFailures;
    const ignore = (): void => {};
    const tensor = (name: string): void => {
      if (name === 'section.0.noise' && left-- > 0)
        throw new FramePackError('ERR_OUT_OF_MEMORY', 'allocate: memory is full');
    };
    const observer = { ids: ignore, frames: ignore, tensor };
    await runGeneration(TINY_REQUEST, (event) => events.push(event), observer);
    return events;
  }

  it('begins anew with a plan that takes less, and the video is the same', async () => {
    const events = await runWithFailures(1);
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(of('plan')).toHaveLength(1);
    expect(of('warning')).toMatchObject([
      {
        code: 'WARN_MEMORY',
        message: expect.stringMatching(/\d+ MiB were planned.*with \d+ MiB$/),
      },
    ]);
    const percents = events.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    const usual = await collect(TINY_REQUEST);
    expect(Buffer.concat(framesOf(events))).toEqual(Buffer.concat(framesOf(usual)));
    expect(doneOf(events).peakBytes).toBeLessThan(doneOf(usual).peakBytes);
  });

  it('is an error the second time', async () => {
    await expect(runWithFailures(2)).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });
});
