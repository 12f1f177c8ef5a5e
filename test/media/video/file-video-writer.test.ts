import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVideo } from '../../../src/media/video/open-video.ts';
import type { VideoWriter } from '../../../src/media/video/video-writer.ts';
import { gradientFrame, temporaryFolder } from '../sample-media.ts';

const size = { width: 64, height: 48, fps: 30 };

async function fill(writer: VideoWriter, numFrames: number): Promise<void> {
  for (let t = 0; t < numFrames; t++) await writer.addFrame(gradientFrame(64, 48, t));
}

describe.each(['png', undefined] as const)('a writer (encoder %s)', (encoder) => {
  const open = (folder: string): Promise<VideoWriter> =>
    openVideo({ path: path.join(folder, 'a.mp4'), ...size, ...(encoder ? { encoder } : {}) });

  test('abort leaves nothing behind, before and after frames', async () => {
    const folder = temporaryFolder();
    await (await open(folder)).abort();
    const writer = await open(folder);
    await fill(writer, 12);
    await writer.abort();
    await writer.abort();
    expect(readdirSync(folder)).toEqual([]);
    await expect(writer.addFrame(gradientFrame(64, 48, 0))).rejects.toMatchObject({
      code: 'ERR_DISPOSED',
    });
  });

  test('abort after finish keeps the video', async () => {
    const folder = temporaryFolder();
    const writer = await open(folder);
    await fill(writer, 1);
    const { path: file } = await writer.finish();
    await writer.abort();
    expect(readdirSync(folder)).toEqual([path.basename(file)]);
    await expect(writer.finish()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  test('a frame of another size is refused', async () => {
    const writer = await open(temporaryFolder());
    await expect(writer.addFrame(new Uint8Array(64 * 48))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: 'addFrame: rgb expected [48, 64, 3], got 3072 bytes',
    });
    await writer.abort();
  });

  test('no frame at all is an error and leaves nothing', async () => {
    const folder = temporaryFolder();
    const writer = await open(folder);
    await expect(writer.finish()).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(readdirSync(folder)).toEqual([]);
  });
});
