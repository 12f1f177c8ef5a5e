import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Length, type and checksum around the content of a chunk. */
const CHUNK_OVERHEAD = 12;
const MAX_PROFILE_BYTES = 1 << 20;
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
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return png;
  let profile: Buffer | undefined;
  let afterHeader = 0;
  for (const { type, content, end } of chunksOf(bytes)) {
    if (type === 'eXIf') return png;
    if (type === 'IHDR') afterHeader = end;
    profile ??= rawProfile(type, content);
  }
  if (profile === undefined || afterHeader === 0) return png;
  return Buffer.concat([
    bytes.subarray(0, afterHeader),
    chunk('eXIf', profile),
    bytes.subarray(afterHeader),
  ]);
}

interface Chunk {
  readonly type: string;
  readonly content: Buffer;
  /** Position behind the chunk. */
  readonly end: number;
}

function* chunksOf(bytes: Buffer): Generator<Chunk, void> {
  for (let at = SIGNATURE.length; at + CHUNK_OVERHEAD <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + CHUNK_OVERHEAD + length;
    if (end > bytes.length) return;
    const content = bytes.subarray(at + 8, at + 8 + length);
    yield { type: bytes.toString('latin1', at + 4, at + 8), content, end };
    at = end;
  }
}

/** The EXIF block of a text chunk: a name, a length and hexadecimal digits, each on lines of its own. */
function rawProfile(type: string, content: Buffer): Buffer | undefined {
  const keywordEnd = content.indexOf(0);
  if (keywordEnd < 0 || !KEYWORDS.has(content.toString('latin1', 0, keywordEnd))) return undefined;
  const text = textOf(type, content.subarray(keywordEnd + 1));
  const match = /^\s*\w+\s+(\d+)\s+([\da-f\s]+)$/i.exec(text ?? '');
  if (match === null) return undefined;
  const profile = Buffer.from(match[2]!.replace(/\s+/g, ''), 'hex');
  if (profile.length !== Number(match[1])) return undefined;
  const isCopied = profile.subarray(0, JPEG_PREFIX.length).equals(JPEG_PREFIX);
  return isCopied ? profile.subarray(JPEG_PREFIX.length) : profile;
}

function textOf(type: string, rest: Buffer): string | undefined {
  if (type === 'tEXt') return rest.toString('latin1');
  if (type === 'zTXt') return inflate(rest.subarray(1));
  if (type !== 'iTXt') return undefined;
  // Two bytes about compression, then a language and a translated keyword, each ended by a zero.
  const text = rest.subarray(rest.indexOf(0, rest.indexOf(0, 2) + 1) + 1);
  return rest[0] === 1 ? inflate(text) : text.toString('utf8');
}

function inflate(bytes: Buffer): string | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_PROFILE_BYTES }).toString('latin1');
  } catch {
    return undefined;
  }
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(CHUNK_OVERHEAD + content.length);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), framed.length - 4);
  return framed;
}
