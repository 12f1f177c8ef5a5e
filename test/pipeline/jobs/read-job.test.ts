import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeJobFile } from '../../../src/jobs/job-document.ts';
import { resultDocument, storedRequest } from '../../../src/pipeline/jobs/job-files.ts';
import { digestOfVideo, readJob } from '../../../src/pipeline/jobs/read-job.ts';

const REQUEST = { model: '/models/a', prompt: 'A ball.' };
const SIZE = { numFrames: 37, width: 128, height: 96, fps: 30 };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let folder: string;
const at = (name: string): string => path.join(folder, name);
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-read-'));
  await writeJobFile(at('request.json'), storedRequest(REQUEST, null));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the result', () => {
  test('of a job without a video is what was kept', async () => {
    const result = { file: null, sha256: null, ...SIZE };
    await writeJobFile(at('result.json'), resultDocument(result));
    expect(await readJob(folder)).toEqual({
      ...{ folder, request: { ...REQUEST, job: folder }, numSections: 0, result },
    });
  });

  test('is none while the video is not there, and none when another has its name', async () => {
    const result = { file: at('a.mp4'), sha256: sha256('video'), ...SIZE };
    await writeJobFile(at('result.json'), resultDocument(result));
    expect(await readJob(folder)).toMatchObject({ result: null });
    writeFileSync(at('a.mp4'), 'another');
    expect(await readJob(folder)).toMatchObject({ result: null });
    writeFileSync(at('a.mp4'), 'video');
    expect(await readJob(folder)).toMatchObject({ result });
  });
});

test('finished sections are counted', async () => {
  for (const index of [0, 1]) writeFileSync(at(`section-000${index}.safetensors`), '');
  expect(await readJob(folder)).toMatchObject({ numSections: 2 });
});

describe('a job is refused', () => {
  test.each([
    ['when there is no folder', () => rmSync(folder, { recursive: true })],
    ['without its request', () => rmSync(at('request.json'))],
    ['with a torn request', () => writeFileSync(at('request.json'), '{"format":"fra')],
  ])('%s', async (_, change) => {
    change();
    const refused = expect(readJob(folder)).rejects;
    await refused.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/request\.json/),
    });
    mkdirSync(folder, { recursive: true });
  });

  test('without its picture, or with another', async () => {
    await writeJobFile(at('request.json'), storedRequest(REQUEST, sha256('picture')));
    await expect(readJob(folder)).rejects.toMatchObject({
      message: expect.stringMatching(/as picture, got none/),
    });
    writeFileSync(at('picture'), 'picturf');
    await expect(readJob(folder)).rejects.toMatchObject({
      message: expect.stringMatching(/got another one/),
    });
    writeFileSync(at('picture'), 'picture');
    expect((await readJob(folder)).request.image).toBe(at('picture'));
  });
});

test('the digest of a folder is that of its pictures in the order of their names', async () => {
  mkdirSync(at('frames'));
  for (const name of ['b.png', 'a.png']) writeFileSync(path.join(at('frames'), name), name);
  const digests = ['a.png', 'b.png'].map(sha256).join('');
  expect(await digestOfVideo(at('frames'))).toBe(sha256(digests));
  writeFileSync(at('file'), 'file');
  expect(await digestOfVideo(at('file'))).toBe(sha256('file'));
});
