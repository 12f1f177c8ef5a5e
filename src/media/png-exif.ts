import { chunk, chunksOf, isPng, type PngChunk, textOf, withChunk } from './png-chunks.ts';

const KEYWORDS: ReadonlySet<string> = new Set(['Raw profile type exif', 'Raw profile type APP1']);
/** Stands in front of the EXIF block in JPEG files, and in profiles that were copied from there. */
const JPEG_PREFIX = Buffer.from('Exif\0\0', 'latin1');

/**
 * A PNG whose EXIF block is where the standard wants it. ImageMagick and its like write the block as hexadecimal text
 * under "Raw profile type exif", which decoders do not look at; the picture then comes out turned.
 *
 * @param png - a file; returned as it is unless it is a PNG that holds such a text and no `eXIf` chunk.
 * @see PNG Specification, 11.3.4 and 11.3.5.5; Pillow reads both places
 */
export function withExifChunk(png: Uint8Array): Uint8Array {
  if (!isPng(png)) return png;
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  let profile: Buffer | undefined;
  for (const part of chunksOf(bytes)) {
    if (part.type === 'eXIf') return png;
    profile ??= rawProfile(part);
  }
  return profile === undefined ? png : withChunk(bytes, chunk('eXIf', profile));
}

/** The EXIF block of a text chunk: a name, a length and hexadecimal digits, each on lines of its own. */
function rawProfile(part: PngChunk): Buffer | undefined {
  const found = textOf(part);
  if (found === undefined || !KEYWORDS.has(found.keyword)) return undefined;
  const match = /^\s*\w+\s+(\d+)\s+([\da-f\s]+)$/i.exec(found.text);
  if (match === null) return undefined;
  const profile = Buffer.from(match[2]!.replace(/\s+/g, ''), 'hex');
  if (profile.length !== Number(match[1])) return undefined;
  const isCopied = profile.subarray(0, JPEG_PREFIX.length).equals(JPEG_PREFIX);
  return isCopied ? profile.subarray(JPEG_PREFIX.length) : profile;
}
