import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JobFolder, type JobRequest } from '../../../src/pipeline/jobs/job-folder.ts';
import { readJob } from '../../../src/pipeline/jobs/read-job.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { PICTURE } from '../tiny-request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const MODEL = path.relative('.', TINY_MODEL);

const open = (
  changed: Partial<JobRequest['video']> = {},
  out: string | null = null,
): Promise<JobFolder | null> =>
  JobFolder.open({
    load: { model: MODEL, device: 'cpu' },
    video: { prompt: 'A ball.', job: path.join(folder, 'job'), ...changed },
    out,
  });

const entries = (): Record<string, unknown>[] =>
  readFileSync(path.join(folder, 'job', 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the request', () => {
  test('is there at once, with paths that mean the same from anywhere', async () => {
    const loras = [{ file: 'style.safetensors' }];
    using _ = await open({ image: PICTURE, out: '{n}.mp4', loras }, '1.mp4');
    const job = await readJob(path.join(folder, 'job'));
    expect(job).toMatchObject({ numSections: 0, result: null });
    expect(job.request).toEqual({
      ...{ model: TINY_MODEL, device: 'cpu', prompt: 'A ball.' },
      ...{ out: path.resolve('1.mp4'), loras: [{ file: path.resolve('style.safetensors') }] },
      ...{ job: job.folder, image: path.join(job.folder, 'picture') },
    });
    expect(readFileSync(job.request.image as string).equals(readFileSync(PICTURE))).toBe(true);
  });

  test('keeps a repository, and makes paths of single parts and of the cache absolute', async () => {
    const model = 'lllyasviel/FramePackI2V_HY';
    using _ = await JobFolder.open({
      load: { model, parts: { transformer: 'a.safetensors' }, cacheFolder: 'cache' },
      video: { prompt: 'A ball.', job: path.join(folder, 'job') },
      out: null,
    });
    expect((await readJob(path.join(folder, 'job'))).request).toMatchObject({
      ...{ model, parts: { transformer: path.resolve('a.safetensors') } },
      cacheFolder: path.resolve('cache'),
    });
  });

  test('keeps the separator that means a folder of pictures, and the bytes of a picture', async () => {
    const image = Uint8Array.of(1, 2, 3);
    using _ = await open({ image, out: 'a/' }, 'a/');
    const { request } = await readJob(path.join(folder, 'job'));
    expect(request.out).toBe(`${path.resolve('a')}/`);
    expect([...readFileSync(request.image as string)]).toEqual([1, 2, 3]);
  });

  test('is the last one until a section is finished, then stays until it is kept', async () => {
    for (const prompt of ['One.', 'Two.']) (await open({ prompt }))?.[Symbol.dispose]();
    writeFileSync(path.join(folder, 'job', 'section-0000.safetensors'), '');
    using opened = await open({ prompt: 'Three.' });
    const promptNow = async () => (await readJob(path.join(folder, 'job'))).request.prompt;
    expect(await promptNow()).toBe('Two.');
    await opened!.keepRequest();
    expect(await promptNow()).toBe('Three.');
  });
});

test('events are logged and handed on, and so is why a run ended', async () => {
  using opened = await open();
  const seen: unknown[] = [];
  const event = { type: 'warning', message: 'careful' } as never;
  opened!.logged((each) => seen.push(each))(event);
  opened!.logFailure(new Error('broken'));
  expect(seen).toEqual([event]);
  expect(entries()).toMatchObject([
    { type: 'warning', message: 'careful' },
    { type: 'error', code: 'ERR_INTERNAL', message: 'broken' },
  ]);
});

test('without a folder there is no job, and a drawn seed or a file in its place is refused', async () => {
  expect(await open({ job: undefined })).toBeNull();
  for (const seed of ['random', -1] as const) {
    await expect(open({ seed })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  }
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(path.join(folder, 'job'), 'a file');
  await expect(open()).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
});
