import { readFile, stat } from 'node:fs/promises';
import type { Metadata } from 'sharp';
import { FramePackError, quote } from '../errors.ts';
import { withExifChunk } from './png-exif.ts';

/** An 8-bit RGB picture, not premultiplied, without alpha. */
export interface RgbImage {
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** Samples `[H, W, 3]`, row by row from the top. */
  readonly data: Uint8Array;
}

/** Limits of {@link decodeImage}. */
export interface DecodeLimits {
  /** Most pixels that are decoded; 64 Mpx unless given. */
  readonly maxPixels?: number;
}

const DEFAULT_MAX_PIXELS = 2 ** 26;
const MAX_FILE_BYTES = 2 ** 28;
const DECODE_SECONDS = 60;

/** Tells a format from the start of a file, read as Latin-1. */
type Signature = (start: string) => boolean;

const ACCEPTED: readonly Signature[] = [
  (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  (start) => start.startsWith('\xff\xd8\xff'),
  (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
];
const REFUSED: readonly (readonly [Signature, string])[] = [
  [(start) => start.startsWith('GIF8'), 'a GIF'],
  [(start) => /^ftyp(heic|heix|mif1|msf1)/.test(start.slice(4)), 'a HEIC picture'],
  [(start) => start.startsWith('ftypavi', 4), 'an AVIF picture'],
  [(start) => /<svg/i.test(start), 'an SVG drawing'],
];
const SIGNATURE_BYTES = 1024;

/** What the package `sharp` is called with: a function that opens a picture. */
type Sharp = typeof import('sharp')['default'];

/**
 * The library that reads and writes pictures. It is loaded at the first call and not with this module, because its native part is an
 * optional package of its own: without it everything that needs no picture still works.
 *
 * @param operation - who needs it, for the message.
 * @throws {@link FramePackError} `ERR_NATIVE_LOAD` when it, or its part for this platform, is not installed.
 */
export async function loadSharp(operation: string): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const { platform, arch } = process;
    throw new FramePackError(
      'ERR_NATIVE_LOAD',
      `${operation}: sharp expected its library for ${platform}-${arch}, got none (${reason}). ` +
        'Run "npm install --include=optional sharp"',
      { package: 'sharp', platform, arch },
      cause,
    );
  }
}

/**
 * Decodes a PNG, JPEG or WebP picture; the content decides the format, never the name.
 *
 * EXIF orientation is applied, alpha dropped, the first frame of an animation taken, 16 bits cut to 8,
 * grey and CMYK turned into RGB. Colour profiles of RGB and grey pictures are ignored, as the reference
 * application does through Pillow's `convert('RGB')`.
 *
 * @param source - Path of a file, or the encoded bytes.
 * @throws {@link FramePackError} `ERR_IMAGE` for anything that is not a whole picture within the limits;
 *   `ERR_NATIVE_LOAD` when the package `sharp` is not whole.
 */
export async function decodeImage(
  source: string | Uint8Array,
  limits: DecodeLimits = {},
): Promise<RgbImage> {
  const name = typeof source === 'string' ? source : 'image bytes';
  const bytes = typeof source === 'string' ? await readImageFile(source) : source;
  checkSignature(bytes, name);
  const oriented = withExifChunk(bytes);
  const header = await readHeader(oriented, name, limits.maxPixels ?? DEFAULT_MAX_PIXELS);
  return decodePixels(oriented, name, header);
}

/**
 * The bytes of a picture's file, not decoded.
 *
 * @throws {@link FramePackError} `ERR_IMAGE` when there is no such file, or one that is too large.
 */
export async function readImageFile(file: string): Promise<Uint8Array> {
  if (/^(data|https?|file):/i.test(file)) {
    const scheme = file.slice(0, file.indexOf(':'));
    throw imageError(quote(file), 'the path of a file or its bytes', `a ${scheme} URL`);
  }
  try {
    const info = await stat(file);
    if (!info.isFile()) throw imageError(file, 'a file', 'a folder or device');
    if (info.size > MAX_FILE_BYTES) {
      throw imageError(file, `at most ${MAX_FILE_BYTES} bytes`, `${info.size} bytes`);
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof FramePackError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw imageError(file, 'a readable file', isMissing ? 'no such file' : reason(cause), cause);
  }
}

function checkSignature(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw imageError(name, 'a PNG, JPEG or WebP picture', 'zero bytes');
  const start = Buffer.from(bytes.subarray(0, SIGNATURE_BYTES)).toString('latin1');
  if (ACCEPTED.some((signature) => signature(start))) return;
  if (start.startsWith('version https://git-lfs')) {
    const got = 'a Git LFS pointer; fetch the file itself with "git lfs pull"';
    throw imageError(name, 'a PNG, JPEG or WebP picture', got);
  }
  const refused = REFUSED.find(([signature]) => signature(start))?.[1];
  throw imageError(
    name,
    'a PNG, JPEG or WebP picture',
    `${refused ?? 'data of another kind'}; convert it to PNG or JPEG`,
  );
}

/** Dimensions and colour space from the header alone, before a pixel is decoded. */
async function readHeader(bytes: Uint8Array, name: string, maxPixels: number): Promise<Metadata> {
  const sharp = await loadSharp('decodeImage');
  let header: Metadata;
  try {
    header = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw damaged(name, cause);
  }
  if (header.width * header.height > maxPixels) {
    throw imageError(
      name,
      `at most ${maxPixels} pixels`,
      `${header.width} x ${header.height}; make the picture smaller first`,
    );
  }
  return header;
}

async function decodePixels(bytes: Uint8Array, name: string, header: Metadata): Promise<RgbImage> {
  const sharp = await loadSharp('decodeImage');
  // Without its profile a CMYK picture has no defined colours.
  const ignoreIcc = header.space !== 'cmyk';
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: header.width * header.height,
      failOn: 'error',
      ignoreIcc,
    })
      .timeout({ seconds: DECODE_SECONDS })
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { width: info.width, height: info.height, data: pixels };
  } catch (cause) {
    throw damaged(name, cause);
  }
}

function damaged(name: string, cause: unknown): FramePackError {
  return imageError(
    name,
    'a whole picture',
    `damaged or truncated data (${reason(cause)}); save or copy the picture again`,
    cause,
  );
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/\s+/g, ' ');
}

function imageError(name: string, expected: string, got: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_IMAGE',
    `decodeImage: ${name} expected ${expected}, got ${got}`,
    { source: name },
    cause,
  );
}
