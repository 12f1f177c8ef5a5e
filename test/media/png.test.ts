import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/media/decode-image.ts';
import { readComment } from '../../src/media/file-comment.ts';
import { encodePng, PngSequenceEncoder, writePng } from '../../src/media/png.ts';
import { gradientFrame, patternImage, temporaryFolder } from './sample-media.ts';

const image = patternImage(33, 21);

test('encodePng keeps every pixel', async () => {
  expect(await decodeImage(await encodePng(image))).toEqual(image);
});

describe('writePng', () => {
  test('writes the file and never over another', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.png');
    await writePng(file, image);
    expect(await decodeImage(file)).toEqual(image);
    await expect(writePng(file, patternImage(2, 2))).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
    expect(await decodeImage(file)).toEqual(image);
    expect(readdirSync(folder)).toEqual(['a.png']);
  });

  test('leaves nothing when the pixels do not fit the size', async () => {
    const folder = temporaryFolder();
    const wrong = { width: 9, height: 9, data: new Uint8Array(3) };
    await expect(writePng(path.join(folder, 'a.png'), wrong)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('PngSequenceEncoder', () => {
  const settings = { width: 16, height: 8, fps: 30, quality: 16 };

  test('numbers the frames and stores the metadata', async () => {
    const folder = temporaryFolder();
    const encoder = new PngSequenceEncoder(folder, { ...settings, metadata: '{"seed":1}' });
    for (let t = 0; t < 3; t++) await encoder.encode(gradientFrame(16, 8, t));
    await encoder.finish();
    expect(readdirSync(folder)).toEqual(['frame-00000.png', 'frame-00001.png', 'frame-00002.png']);
    const last = await decodeImage(path.join(folder, 'frame-00002.png'));
    expect(last.data).toEqual(gradientFrame(16, 8, 2));
    for (const name of readdirSync(folder)) {
      expect(await readComment(path.join(folder, name))).toBe('{"seed":1}');
    }
  });

  test('stores no metadata unless given', async () => {
    const folder = temporaryFolder();
    const encoder = new PngSequenceEncoder(folder, settings);
    await encoder.finish();
    await encoder.abort();
    expect(readdirSync(folder)).toEqual([]);
  });
});
