import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/media/decode-image.ts';
import { withExifChunk } from '../../src/media/png-exif.ts';
import { pngChunk as chunk, fixture } from './sample-media.ts';

const [WIDTH, HEIGHT] = [3, 2];
const PIXELS = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, index) => index * 13);
const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 } } as const;
const plain = await sharp(PIXELS, raw).png().toBuffer();

/** Where the pixel at column x, row y of the upright picture lies in the stored one. */
const STORED: Record<number, (x: number, y: number) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y) => [WIDTH - 1 - x, y],
  3: (x, y) => [WIDTH - 1 - x, HEIGHT - 1 - y],
  4: (x, y) => [x, HEIGHT - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y) => [y, HEIGHT - 1 - x],
  7: (x, y) => [WIDTH - 1 - y, HEIGHT - 1 - x],
  8: (x, y) => [WIDTH - 1 - y, x],
};

function upright(orientation: number) {
  const [width, height] = orientation < 5 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH];
  const data = new Uint8Array(PIXELS.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = STORED[orientation]!(x, y);
      const from = (row * WIDTH + column) * 3;
      data.set(PIXELS.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data };
}

/** A big-endian TIFF block whose only entry is the orientation. */
function exif(orientation: number): Buffer {
  return Buffer.from(`4d4d002a0000000800010112000300000001000${orientation}000000000000`, 'hex');
}

function insert(content: Buffer): Buffer {
  const afterHeader = 8 + 25;
  return Buffer.concat([plain.subarray(0, afterHeader), content, plain.subarray(afterHeader)]);
}

const profile = (block: Buffer, keyword = 'exif'): string => {
  const digits = block.toString('hex').replace(/.{36}/g, '$&\n');
  return `\n${keyword}\n${String(block.length).padStart(8)}\n${digits}\n`;
};
const prefixed = (orientation: number): Buffer =>
  Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(orientation)]);

const PLACES: Record<string, (orientation: number) => Buffer> = {
  eXIf: (orientation) => chunk('eXIf', exif(orientation)),
  zTXt: (orientation) =>
    chunk(
      'zTXt',
      Buffer.concat([
        Buffer.from('Raw profile type exif\0\0', 'latin1'),
        deflateSync(profile(prefixed(orientation))),
      ]),
    ),
  tEXt: (orientation) =>
    chunk('tEXt', Buffer.from(`Raw profile type APP1\0${profile(exif(orientation))}`, 'latin1')),
  iTXt: (orientation) =>
    chunk(
      'iTXt',
      Buffer.from(`Raw profile type exif\0\0\0\0\0${profile(exif(orientation))}`, 'latin1'),
    ),
};

describe.each(Object.keys(PLACES))('a PNG with its orientation in %s', (place) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is turned upright', async (orientation) => {
    expect(await decodeImage(insert(PLACES[place]!(orientation)))).toEqual(upright(orientation));
  });
});

describe.each(['jpeg', 'webp'] as const)('a %s file', (format) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'with orientation %i is turned upright',
    async (orientation) => {
      const turned = sharp(PIXELS, raw).resize(48, 32, { kernel: 'nearest' });
      const bytes = await turned[format]({ quality: 100 }).withMetadata({ orientation }).toBuffer();
      const image = await decodeImage(bytes);
      const expected = upright(orientation);
      expect([image.width, image.height]).toEqual([expected.width * 16, expected.height * 16]);
      // The middle of every large pixel.
      for (let y = 0; y < expected.height; y++) {
        for (let x = 0; x < expected.width; x++) {
          const green = image.data[((y * 16 + 8) * image.width + x * 16 + 8) * 3 + 1]!;
          expect(Math.abs(green - expected.data[(y * expected.width + x) * 3 + 1]!)).toBeLessThan(
            16,
          );
        }
      }
    },
  );
});

test('the picture that ImageMagick made is turned upright', async () => {
  const image = await decodeImage(fixture('media/raw-profile-orientation-6.png'));
  expect([image.width, image.height]).toEqual([120, 160]);
});

test.each([
  ['no profile', plain],
  ['a wrong length', insert(chunk('tEXt', Buffer.from('Raw profile type exif\0\nexif\n 9\n00\n')))],
  ['no digits', insert(chunk('tEXt', Buffer.from('Raw profile type exif\0hello')))],
  ['a bomb', insert(chunk('zTXt', bomb()))],
  ['half a file', readFileSync(fixture('media/raw-profile-orientation-6.png')).subarray(0, 60)],
])('a PNG with %s is left alone', (_, png) => {
  expect(withExifChunk(png)).toBe(png);
});

function bomb(): Buffer {
  const keyword = Buffer.from('Raw profile type exif\0\0', 'latin1');
  return Buffer.concat([keyword, deflateSync(Buffer.alloc(1 << 24))]);
}
