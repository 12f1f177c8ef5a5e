import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readComment } from '../../../src/media/file-comment.ts';
import { encodePng } from '../../../src/media/png.ts';
import { encodeFolder } from '../../../src/media/video/encode-folder.ts';
import { openVideo } from '../../../src/media/video/open-video.ts';
import { gradientFrame, temporaryFolder } from '../sample-media.ts';

const size = { width: 64, height: 48 };
const frames = Array.from({ length: 4 }, (_, t) => gradientFrame(64, 48, t));

test('a folder of pictures is the video that its frames would have been', async () => {
  const folder = temporaryFolder();
  const pictures = await openVideo({ ...size, path: `${folder}/frames/`, fps: 30, metadata: 'm' });
  for (const frame of frames) await pictures.addFrame(frame);
  await pictures.finish();

  const out = path.join(folder, 'again/');
  const result = await encodeFolder(path.join(folder, 'frames'), { path: out, fps: 10 });
  expect(result).toMatchObject({ numFrames: 4, durationSeconds: 0.4, encoder: 'png' });
  expect(readdirSync(out)).toEqual(readdirSync(path.join(folder, 'frames')));
  expect(await readComment(path.join(out, 'frame-00003.png'))).toBe('m');
});

describe('a folder that cannot be a video', () => {
  test.each([
    ['is not there', () => {}, /folder that can be read/],
    ['has no pictures', (folder: string) => mkdirSync(folder), /got none/],
  ])('%s', async (_, make, message) => {
    const folder = temporaryFolder();
    make(path.join(folder, 'x'));
    const encoding = encodeFolder(path.join(folder, 'x'), { path: `${folder}/y/`, fps: 30 });
    await expect(encoding).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(folder)).not.toContain('y');
  });

  test('has pictures of two sizes', async () => {
    const folder = path.join(temporaryFolder(), 'x');
    mkdirSync(folder);
    for (const [index, width] of [64, 32].entries()) {
      const image = { width, height: 48, data: gradientFrame(width, 48, 0) };
      writeFileSync(path.join(folder, `${index}.png`), await encodePng(image));
    }
    const encoding = encodeFolder(folder, { path: path.join(folder, '..', 'y/'), fps: 30 });
    await expect(encoding).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('64 x 48 like the first, got 32 x 48 in 1.png'),
    });
    expect(readdirSync(path.dirname(folder))).toEqual(['x']);
  });
});
