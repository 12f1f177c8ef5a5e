import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage, loadSharp } from '../../src/media/decode-image.ts';
import { fixture, patternImage, pngChunk, temporaryFolder } from './sample-media.ts';

const picture = patternImage(20, 12);
const pixels = () => sharp(picture.data, { raw: { width: 20, height: 12, channels: 3 } });

/** A PNG file chunk by chunk, so that its header can say anything. */
function png(ihdr: { width: number; height: number; bits: number; type: number }, raw: Buffer) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(ihdr.width, 0);
  header.writeUInt32BE(ihdr.height, 4);
  header.set([ihdr.bits, ihdr.type], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(raw)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('formats', () => {
  test.each([
    ['PNG', () => pixels().png().toBuffer()],
    ['palette PNG', () => pixels().png({ palette: true, colours: 256 }).toBuffer()],
    ['lossless WebP', () => pixels().webp({ lossless: true }).toBuffer()],
  ])('%s gives its pixels back', async (name, encode) => {
    const image = await decodeImage(await encode());
    expect(image).toMatchObject({ width: 20, height: 12 });
    const worst = Math.max(...image.data.map((v, i) => Math.abs(v - picture.data[i]!)));
    expect(worst).toBeLessThanOrEqual(name === 'palette PNG' ? 8 : 0);
  });

  test('a JPEG with orientation decodes as Pillow decodes it', async () => {
    const image = await decodeImage(fixture('media/rotated.jpg'));
    expect(image).toEqual(await decodeImage(fixture('media/rotated.pillow.png')));
    expect([image.width, image.height]).toEqual([24, 36]);
  });

  test('alpha is dropped, colours under it are kept', async () => {
    const transparent = await pixels().ensureAlpha(0).png().toBuffer();
    expect((await decodeImage(transparent)).data).toEqual(picture.data);
  });

  test('grey becomes RGB', async () => {
    const image = await decodeImage(await pixels().greyscale().png().toBuffer());
    expect(image.data).toHaveLength(20 * 12 * 3);
    for (let i = 0; i < image.data.length; i += 3) expect(image.data[i]).toBe(image.data[i + 2]);
  });

  test('16 bits keep their upper byte', async () => {
    const row = Buffer.from([0, 0x12, 0xff, 0x80, 0x00, 0xfe, 0x01]);
    const image = await decodeImage(png({ width: 1, height: 1, bits: 16, type: 2 }, row));
    expect([...image.data]).toEqual([0x12, 0x80, 0xfe]);
  });

  test('CMYK becomes RGB of about the same colours', async () => {
    const image = await decodeImage(fixture('media/cmyk.jpg'));
    expect(image).toMatchObject({ width: 36, height: 24 });
    // The upper right corner was (245, 0, 140); a CMYK profile mutes it.
    const [red, green, blue] = image.data.subarray(35 * 3, 36 * 3) as unknown as number[];
    expect(red).toBeGreaterThan(200);
    expect(red).toBeGreaterThan(blue! + 60);
    expect(blue).toBeGreaterThan(green! + 20);
  });

  test('the first frame of an animation is taken', async () => {
    const frames = Buffer.concat([picture.data, Buffer.alloc(picture.data.length)]);
    const animation = await sharp(frames, {
      raw: { width: 20, height: 24, channels: 3, pageHeight: 12 },
    })
      .webp({ lossless: true })
      .toBuffer();
    expect((await sharp(animation).metadata()).pages).toBe(2);
    expect(await decodeImage(animation)).toMatchObject({ width: 20, height: 12 });
    expect((await decodeImage(animation)).data).toEqual(picture.data);
  });

  test('the content decides, not the name', async () => {
    const file = path.join(temporaryFolder(), 'picture.txt');
    writeFileSync(file, await pixels().png().toBuffer());
    expect((await decodeImage(file)).data).toEqual(picture.data);
  });
});

describe('limits', () => {
  test('a header that claims 50000 x 50000 is refused before decoding', async () => {
    const bomb = png({ width: 50_000, height: 50_000, bits: 8, type: 2 }, Buffer.alloc(100));
    await expect(decodeImage(bomb)).rejects.toMatchObject({
      code: 'ERR_IMAGE',
      message: expect.stringContaining('50000 x 50000'),
    });
  });

  test('the limit itself is allowed, one pixel more is not', async () => {
    const bytes = await pixels().png().toBuffer();
    await expect(decodeImage(bytes, { maxPixels: 240 })).resolves.toMatchObject({ width: 20 });
    await expect(decodeImage(bytes, { maxPixels: 239 })).rejects.toMatchObject({
      code: 'ERR_IMAGE',
    });
  });
});

describe('bad input', () => {
  const refuses = async (source: string | Uint8Array, message: RegExp): Promise<void> => {
    await expect(decodeImage(source)).rejects.toMatchObject({
      code: 'ERR_IMAGE',
      message: expect.stringMatching(message),
    });
  };

  test.each(['png', 'jpeg', 'webp'] as const)('truncated %s', async (format) => {
    const file = path.join(temporaryFolder(), 'picture');
    const bytes = await sharp(patternImage(200, 150).data, {
      raw: { width: 200, height: 150, channels: 3 },
    })
      .toFormat(format)
      .toBuffer();
    writeFileSync(file, bytes);
    truncateSync(file, Math.floor(bytes.length * 0.9));
    await refuses(file, /expected a whole picture, got damaged or truncated data/u);
  });

  test('a flipped byte', async () => {
    const bytes = await pixels().png().toBuffer();
    bytes[bytes.length - 30]! ^= 0xff;
    await refuses(bytes, /damaged/u);
  });

  test.each([
    ['text', 'hello world', /got data of another kind; convert it/u],
    ['an SVG', '<?xml version="1.0"?>\n<svg width="9" height="9"/>', /got an SVG drawing/u],
    ['a GIF', 'GIF89a----------', /got a GIF/u],
    ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0', /got a HEIC picture/u],
    ['an AVIF', '\0\0\0\x18ftypavif\0\0\0\0', /got an AVIF picture/u],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1',
      /Git LFS pointer; fetch the file itself/u,
    ],
    ['nothing', '', /got zero bytes/u],
  ])('%s named .png', async (_, content, message) => {
    const file = path.join(temporaryFolder(), 'picture.png');
    writeFileSync(file, content, 'latin1');
    await refuses(file, message);
    await refuses(readFileSync(file), message);
  });

  test('a missing file, a folder and a device', async () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'picture.png'));
    await refuses(path.join(folder, 'none.png'), /got no such file/u);
    await refuses(path.join(folder, 'picture.png'), /got a folder or device/u);
    await refuses('/dev/zero', /got a folder or device/u);
  });
});

test.each(['data:image/png;base64,iVBORw0KGgo=', 'https://example.org/a.png', 'file:///a.png'])(
  'the address %s is no path',
  async (source) => {
    await expect(decodeImage(source)).rejects.toMatchObject({
      code: 'ERR_IMAGE',
      message: expect.stringContaining(`got a ${source.slice(0, source.indexOf(':'))} URL`),
    });
  },
);

const MODULE = new URL('../../src/media/decode-image.ts', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Makes `import('sharp')` fail in the way it does where its native package was left out. */
const WITHOUT_NATIVE_PART = `
  import { register } from 'node:module';
  const source = 'export const resolve = (name, context, next) => {' +
    'if (name === "sharp") throw new Error("Could not load the \\\\"sharp\\\\" module\\\\nPossible solutions");' +
    'return next(name, context); };';
  register('data:text/javascript,' + encodeURIComponent(source));
  const { loadSharp } = await import('${MODULE}');
  const error = await loadSharp('decodeImage').catch((error) => error);
  console.log(JSON.stringify({ code: error.code, message: error.message, details: error.details }));
`;

test('loadSharp gives the library', async () => {
  expect(await loadSharp('test')).toBe(sharp);
});

test('without its native part loadSharp says what to install, in one line', () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', WITHOUT_NATIVE_PART];
  const { code, message, details } = JSON.parse(
    execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }),
  ) as Record<string, unknown>;
  expect({ code, details }).toEqual({
    code: 'ERR_NATIVE_LOAD',
    details: { package: 'sharp', platform: process.platform, arch: process.arch },
  });
  expect(message).toMatch(
    /^decodeImage: sharp expected its library for \S+, got none \(Could not load the "sharp" module\). Run "npm install/,
  );
});
