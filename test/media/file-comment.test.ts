import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readComment } from '../../src/media/file-comment.ts';
import { encodePng } from '../../src/media/png.ts';
import type { EncoderName } from '../../src/media/video/formats.ts';
import { availableEncoders } from '../../src/media/video/open-video.ts';
import { gradientFrame, patternImage, temporaryFolder } from './sample-media.ts';
import { encoded } from './video/encoders/encoded.ts';

const here = await availableEncoders();
const PLACES: readonly (readonly [EncoderName, string])[] = [
  ['libx264', '.mp4'],
  ['openh264', '.mp4'],
  ['libx264', '.mov'],
  ['libx264', '.mkv'],
  ['libvpx-vp9', '.webm'],
];
const COMMENT = `\u{1F642} "=;#\\ ${'long \u00e9 '.repeat(1500)}\nend`;
const size = { width: 64, height: 48, fps: 30 };

describe.each(PLACES)('%s in %s', { timeout: 60_000 }, (encoder, extension) => {
  test.skipIf(!here.includes(encoder))('gives the comment back', async () => {
    const frames = [gradientFrame(64, 48, 0)];
    const options = { ...size, metadata: Promise.resolve(COMMENT) };
    expect(await readComment(await encoded(encoder, frames, options, extension))).toBe(COMMENT);
    expect(await readComment(await encoded(encoder, frames, size, extension))).toBeNull();
  });
});

test.skipIf(here.length === 0)('a video cut off before its index is no video', async () => {
  const [encoder, extension] = PLACES.find(([name]) => here.includes(name))!;
  const file = await encoded(encoder, [gradientFrame(64, 48, 0)], size, extension);
  const firstBox = readFileSync(file).readUInt32BE(0);
  for (const bytes of [firstBox + 12, firstBox]) {
    truncateSync(file, bytes);
    await expect(readComment(file), `${bytes} bytes`).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('one without a track'),
    });
  }
});

test('a PNG gives the comment back', async () => {
  const file = path.join(temporaryFolder(), 'a.png');
  writeFileSync(file, await encodePng(patternImage(8, 8), COMMENT));
  expect(await readComment(file)).toBe(COMMENT);
  writeFileSync(file, await encodePng(patternImage(8, 8)));
  expect(await readComment(file)).toBeNull();
  truncateSync(file, 20);
  expect(await readComment(file)).toBeNull();
});

test('what cannot be read is told', async () => {
  const folder = temporaryFolder();
  await expect(readComment(path.join(folder, 'none.mp4'))).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining('none.mp4 expected a readable file, got ENOENT'),
  });
  await expect(readComment(folder)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  const file = path.join(folder, 'a.mp4');
  for (const content of ['', 'just text']) {
    writeFileSync(file, content);
    await expect(readComment(file), content).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  }
});
