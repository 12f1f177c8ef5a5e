import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Length, type and checksum around the content of a chunk. */
const CHUNK_OVERHEAD = 12;
const MAX_TEXT_BYTES = 1 << 20;

/** One chunk of a PNG file. */
export interface PngChunk {
  readonly type: string;
  readonly content: Buffer;
  /** Position behind the chunk. */
  readonly end: number;
}

/** Whether a file starts like a PNG. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length));
}

/** The whole chunks of a PNG file, in order. */
export function* chunksOf(bytes: Buffer): Generator<PngChunk, void> {
  for (let at = SIGNATURE.length; at + CHUNK_OVERHEAD <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + CHUNK_OVERHEAD + length;
    if (end > bytes.length) return;
    const content = bytes.subarray(at + 8, at + 8 + length);
    yield { type: bytes.toString('latin1', at + 4, at + 8), content, end };
    at = end;
  }
}

/** Keyword and text of a `tEXt`, `zTXt` or `iTXt` chunk; undefined for others and for broken ones. */
export function textOf({ type, content }: PngChunk): { keyword: string; text: string } | undefined {
  const keywordEnd = content.indexOf(0);
  if (keywordEnd < 0) return undefined;
  const text = bodyOf(type, content.subarray(keywordEnd + 1));
  if (text === undefined) return undefined;
  return { keyword: content.toString('latin1', 0, keywordEnd), text };
}

/** An `iTXt` chunk: text in UTF-8, not compressed, without a language. */
export function textChunk(keyword: string, text: string): Buffer {
  return chunk('iTXt', Buffer.from(`${keyword}\0\0\0\0\0${text}`, 'utf8'));
}

/** A chunk with its length and checksum. */
export function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(CHUNK_OVERHEAD + content.length);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), framed.length - 4);
  return framed;
}

/** The file with a chunk behind its header; as it is when it has none. */
export function withChunk(bytes: Buffer, added: Buffer): Buffer {
  for (const { type, end } of chunksOf(bytes)) {
    if (type === 'IHDR') return Buffer.concat([bytes.subarray(0, end), added, bytes.subarray(end)]);
  }
  return bytes;
}

function bodyOf(type: string, rest: Buffer): string | undefined {
  if (type === 'tEXt') return rest.toString('latin1');
  if (type === 'zTXt') return inflate(rest.subarray(1))?.toString('latin1');
  if (type !== 'iTXt') return undefined;
  // Two bytes about compression, then a language and a translated keyword, each ended by a zero.
  const text = rest.subarray(rest.indexOf(0, rest.indexOf(0, 2) + 1) + 1);
  return (rest[0] === 1 ? inflate(text) : text)?.toString('utf8');
}

function inflate(bytes: Buffer): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch {
    return undefined;
  }
}
