import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { FramePackError } from '../../../src/errors.ts';
import { readComment } from '../../../src/media/file-comment.ts';
import { keptInJob, rescueFrames } from '../../../src/media/video/rescue.ts';
import { frameSource, gradientFrame, temporaryFolder } from '../sample-media.ts';

const frames = frameSource(Array.from({ length: 3 }, (_, t) => gradientFrame(64, 48, t)));
const failure = new FramePackError(
  'ERR_OUTPUT',
  'output: a.mp4 expected to be written, got ENOSPC',
);
const options = { width: 64, height: 48, fps: 24 };

test('frames are kept beside the video, under a name of their own, with the way to go on', async () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'a b-frames'));
  const out = path.join(folder, 'a b.mp4');
  const error = await rescueFrames(frames, { ...options, path: out, metadata: 'm' }, failure);

  const kept = path.join(folder, 'a b-frames-2');
  expect(error).toMatchObject({ code: 'ERR_OUTPUT', details: { frames: kept }, cause: failure });
  expect(error.message).toContain(`framepack encode '${kept}' --fps 24 --out '${out}'`);
  expect(readdirSync(kept)).toHaveLength(3);
  expect(await readComment(path.join(kept, 'frame-00000.png'))).toBe('m');
});

test('where the disk of the video is of no use they go to the temporary folder', async () => {
  const temporary = temporaryFolder();
  vi.stubEnv('TMPDIR', temporary);
  const error = await rescueFrames(frames, { ...options, path: '/dev/null/a.mp4' }, failure);
  vi.unstubAllEnvs();
  expect(error.details.frames).toBe(path.join(temporary, 'a-frames'));
  expect(readdirSync(path.join(temporary, 'a-frames'))).toHaveLength(3);
});

test('with no room anywhere this is told too', async () => {
  for (const name of ['TMPDIR', 'HOME']) vi.stubEnv(name, '/dev/null/none');
  const error = await rescueFrames(frames, { ...options, path: '/dev/null/a.mp4' }, failure);
  vi.unstubAllEnvs();
  expect(error.message).toContain('no room anywhere');
});

test('a job that keeps its frames is told to go on', () => {
  const error = keptInJob(failure, '/jobs/a ball');
  expect(error).toMatchObject({ code: 'ERR_OUTPUT', details: { job: '/jobs/a ball' } });
  expect(error.message).toContain('run "framepack resume \'/jobs/a ball\'"');
});
