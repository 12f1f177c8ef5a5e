import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ENCODER_NAMES, VIDEO_FORMATS } from '../../../src/media/video/formats.ts';
import { availableEncoders, openVideo } from '../../../src/media/video/open-video.ts';
import type { VideoOptions, VideoWriter } from '../../../src/media/video/video-writer.ts';
import { gradientFrame, readMp4, temporaryFolder } from '../sample-media.ts';

const size = { width: 64, height: 48, fps: 30 };

async function fill(writer: VideoWriter, numFrames: number): Promise<void> {
  for (let t = 0; t < numFrames; t++) await writer.addFrame(gradientFrame(64, 48, t));
}

describe('openVideo', () => {
  test('writes with the first encoder that works here', async () => {
    const folder = temporaryFolder();
    const writer = await openVideo({ path: path.join(folder, 'a.mp4'), ...size });
    await fill(writer, 5);
    const result = await writer.finish();
    expect(result).toMatchObject({ numFrames: 5, durationSeconds: 5 / 30 });
    expect(readdirSync(folder)).toEqual([path.basename(result.path)]);
    if (result.encoder === 'png') expect(readdirSync(result.path)).toHaveLength(5);
    else expect(readMp4(readFileSync(result.path)).numSamples).toBe(5);
  });

  test('numbered pictures go into a folder named like the file', async () => {
    const folder = temporaryFolder();
    const options = { path: path.join(folder, 'a.mp4'), ...size, encoder: 'png' } as const;
    const writer = await openVideo(options);
    await fill(writer, 2);
    expect(await writer.finish()).toEqual({
      path: path.join(folder, 'a-frames'),
      encoder: 'png',
      numFrames: 2,
      durationSeconds: 2 / 30,
    });
    await expect(openVideo(options)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  });

  test('an encoder that cannot do it is told and leaves nothing', async () => {
    const folder = temporaryFolder();
    const options = { path: path.join(folder, 'a.mp4'), width: 8, height: 8, fps: 30 };
    await expect(openVideo({ ...options, encoder: 'openh264' })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an existing file is refused before any frame', async () => {
    const file = path.join(temporaryFolder(), 'a.mp4');
    writeFileSync(file, 'old');
    await expect(openVideo({ path: file, ...size })).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test('a missing folder is told', async () => {
    const file = path.join(temporaryFolder(), 'none', 'a.mp4');
    await expect(openVideo({ path: file, ...size })).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining('create it first'),
    });
  });
});

describe('options', () => {
  const bad: readonly [string, Partial<VideoOptions>, RegExp][] = [
    ['an unknown extension', { path: 'a.txt' }, /out expected a name with \.mp4.*got \.txt/u],
    ['no extension', { path: 'a' }, /got none of them in "a"/u],
    ['an encoder of another kind', { encoder: 'gif' }, /encoder expected one of libx264/u],
    ['odd width', { width: 63 }, /size expected even numbers.*63 x 48/u],
    ['odd height', { height: 47 }, /size expected even/u],
    ['no width', { width: 0 }, /size expected even/u],
    ['broken rate', { fps: 29.97 }, /fps expected a positive integer, got 29\.97/u],
    ['no rate', { fps: Number.NaN }, /fps expected/u],
    ['quality', { quality: 52 }, /quality expected an integer from 0 to 51, got 52/u],
    ['metadata', { metadata: 'x'.repeat(100_001) }, /metadata expected at most/u],
    ['NUL in metadata', { metadata: 'a\0b' }, /without NUL/u],
  ];

  test.each(bad)('refuses %s', async (_, change, message) => {
    const folder = temporaryFolder();
    const options: VideoOptions = { path: path.join(folder, 'a.mp4'), ...size, ...change };
    await expect(openVideo(options)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('availableEncoders names those that openVideo can open', async () => {
  const names = await availableEncoders();
  const folder = temporaryFolder();
  for (const encoder of ENCODER_NAMES.filter((name) => name !== 'png')) {
    const format = VIDEO_FORMATS.find(({ encoders }) => encoders.includes(encoder))!;
    const file = path.join(folder, `${encoder}${format.extensions[0]}`);
    const opening = openVideo({ path: file, ...size, encoder });
    const canOpen = await opening.then(
      (writer) => writer.abort().then(() => true),
      () => false,
    );
    expect(names.includes(encoder), encoder).toBe(canOpen);
  }
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);

test.each(['.webm', '.gif', '.mov', '.mkv'])(
  'without a program that makes %s this is told before anything is written',
  async (extension) => {
    const folder = temporaryFolder();
    vi.stubEnv('PATH', folder);
    const opening = openVideo({ path: path.join(folder, `a${extension}`), ...size });
    await expect(opening).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('install ffmpeg'),
    });
    vi.unstubAllEnvs();
    expect(readdirSync(folder)).toEqual([]);
  },
);
