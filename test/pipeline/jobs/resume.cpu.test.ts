import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJob } from '../../../src/pipeline/jobs/read-job.ts';
import { resume } from '../../../src/pipeline/jobs/resume.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { MAIN } from '../../cli/run-cli.ts';
import { PICTURE, TINY_REQUEST } from '../tiny-request.ts';

const NUM_SECTIONS = 2;
const NUM_KILLS = 20;

let folder: string;
const at = (...names: string[]): string => path.join(folder, ...names);

/** The job, uninterrupted. */
let wholeMs: number;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-resume-'));
  const begun = performance.now();
  await ended(begin('whole'));
  wholeMs = performance.now() - begun;
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): ChildProcess {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return spawn(process.execPath, ['--import', 'tsx', MAIN, ...args, '--json'], {
    stdio: [...stdio],
  });
}

/** Begins a job of that name. */
function begin(name: string): ChildProcess {
  const { model, prompt } = TINY_REQUEST;
  const settings = {
    model,
    prompt,
    image: at(`${name}.png`),
    seconds: 1.2 * NUM_SECTIONS,
    steps: 2,
  };
  copyFileSync(PICTURE, settings.image);
  const flags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return run('generate', ...flags, '--job', at(name), '--out', at(`${name}.mp4`));
}

/** Goes on with it from its folder alone, or begins it where it was killed before it had one. */
function goOn(name: string): ChildProcess {
  return existsSync(at(name, 'request.json')) ? run('resume', at(name)) : begin(name);
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdout!.resume();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

/** Kills it as soon as it says the text, or at its end. */
async function killedAt(child: ChildProcess, text: string): Promise<void> {
  const exit = once(child, 'exit');
  child.stdout!.setEncoding('utf8').on('data', (output: string) => {
    if (output.includes(text)) child.kill('SIGKILL');
  });
  await exit;
}

function expectAsWhole(name: string): void {
  const sections = readdirSync(at('whole')).filter((file) => file.startsWith('section-'));
  expect(sections).toHaveLength(NUM_SECTIONS);
  for (const file of sections) {
    const [whole, resumed] = ['whole', name].map((job) => readFileSync(at(job, file)));
    expect(resumed!.equals(whole!), file).toBe(true);
  }
  const [whole, resumed] = ['whole', name].map((job) => readFileSync(at(`${job}.mp4`)));
  expect(resumed!.equals(whole!), 'video').toBe(true);
}

describe('a killed job gives latents and file of an uninterrupted one', {
  timeout: 900_000,
}, () => {
  test('killed behind each section and while the video is written', async () => {
    for (const section of [0, 1]) {
      await killedAt(goOn('steps'), `"type":"section","section":${section}`);
      expect((await readJob(at('steps'))).numSections).toBe(section + 1);
    }
    await killedAt(goOn('steps'), '"stage":"write"');
    await ended(goOn('steps'));
    expectAsWhole('steps');
  });

  test(`killed at ${NUM_KILLS} moments`, async () => {
    const moments = await uniform(NUM_KILLS);
    for (const moment of moments) {
      const child = goOn('moments');
      child.stdout!.resume();
      const exit = once(child, 'exit');
      await Promise.race([exit, sleep(moment * wholeMs)]);
      child.kill('SIGKILL');
      await exit;
      if (!existsSync(at('moments.mp4'))) continue;
      expectAsWhole('moments');
      for (const name of ['moments', 'moments.mp4']) rmSync(at(name), { recursive: true });
    }
    await ended(goOn('moments'));
    expectAsWhole('moments');
  });
});

/** Numbers in [0, 1) that are the same in every run. */
async function uniform(count: number): Promise<number[]> {
  const normals = new Generator(31337).nextNormals(count);
  return [...normals].map((value) => Math.abs(value) % 1);
}

describe('a job', { timeout: 240_000 }, () => {
  test('goes on in another place, without the picture that it was begun with', async () => {
    await killedAt(begin('first'), '"type":"section","section":0');
    rmSync(at('first.png'));
    renameSync(at('first'), at('moved'));
    const types: string[] = [];
    for await (const event of resume(at('moved'), { out: at('moved.mp4'), threads: 1 })) {
      types.push(event.type);
    }
    expect(types.at(-1)).toBe('done');
    expect(types.filter((type) => type === 'step')).toHaveLength(2);
    expectAsWhole('moved');
    const logged = readFileSync(at('moved', 'log.jsonl'), 'utf8').trim().split('\n');
    const all = logged.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(all.slice(-types.length)).toEqual(types);
    expect(all.length).toBeGreaterThan(types.length);
  });

  test('that is finished says where its video is', async () => {
    const { result } = await readJob(at('whole'));
    expect(result).toMatchObject({ file: at('whole.mp4'), numFrames: 36 * NUM_SECTIONS + 1 });
    await expect(resume(at('whole')).next()).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      details: { file: at('whole.mp4') },
    });
  });
});
