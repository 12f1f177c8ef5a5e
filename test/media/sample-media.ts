import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll } from 'vitest';
import type { RgbImage } from '../../src/media/decode-image.ts';
import type { FrameSource } from '../../src/media/video/video-writer.ts';

const temporaryFolders: string[] = [];
afterAll(() => {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, removed after the tests of the calling file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-media-'));
  temporaryFolders.push(folder);
  return folder;
}

/** Frames in memory, as a video takes them. */
export function frameSource(frames: readonly Uint8Array[]): FrameSource {
  return {
    numFrames: frames.length,
    async *[Symbol.asyncIterator]() {
      yield* frames;
    },
  };
}

/** Absolute path of a file in the fixtures folder. */
export function fixture(relative: string): string {
  return fileURLToPath(new URL(`../fixtures/${relative}`, import.meta.url));
}

/** One chunk of a PNG file. */
export function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The picture that the Pillow fixtures were made from. */
export function patternImage(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let index = 0; index < data.length; index++) {
    const channel = index % 3;
    const x = Math.floor(index / 3) % width;
    const y = Math.floor(index / 3 / width);
    data[index] = (x * 7 + y * 13 + channel * 29 + ((x * y) % 17)) % 256;
  }
  return { width, height, data };
}

/** Frame `frameIndex` of a smooth moving gradient, `[height, width, 3]`. */
export function gradientFrame(width: number, height: number, frameIndex: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data[pixel * 3] = ((pixel % width) * 255) / (width - 1);
    data[pixel * 3 + 1] = (Math.floor(pixel / width) * 255) / (height - 1);
    data[pixel * 3 + 2] = (frameIndex * 8) % 256;
  }
  return data;
}

/** What a player reads from an MP4 file before it decodes anything. */
export interface Mp4Facts {
  /** Types of the boxes at the top of the file, in order. */
  readonly topLevel: readonly string[];
  readonly numSamples: number;
  readonly durationSeconds: number;
  readonly width: number;
  readonly height: number;
  /** The `avcC` profile byte: 66 baseline, 77 main, 100 high. */
  readonly profile: number;
  /** `nclx` primaries, transfer, matrix, full range. */
  readonly colour: readonly [number, number, number, boolean];
  /** The comment tag. */
  readonly comment: string | undefined;
}

/** Reads {@link Mp4Facts} with a reader of our own, so that the muxer does not judge itself. */
export function readMp4(file: Uint8Array): Mp4Facts {
  const bytes = Buffer.from(file);
  const topLevel = childBoxes(bytes).map(([type]) => type);
  const media = descend(bytes, 'moov', 'trak', 'mdia');
  const mediaHeader = descend(media, 'mdhd');
  const samples = descend(media, 'minf', 'stbl');
  // A sample description holds 8 bytes before its entries, a visual entry 78 bytes before its boxes.
  const entry = descend(descend(samples, 'stsd').subarray(8), 'avc1');
  const colour = descend(entry.subarray(78), 'colr');
  if (colour.toString('latin1', 0, 4) !== 'nclx') throw new Error('colr is not nclx');
  const is64Bit = mediaHeader[0] === 1;
  const timescale = mediaHeader.readUInt32BE(is64Bit ? 20 : 12);
  const duration = is64Bit ? Number(mediaHeader.readBigUInt64BE(24)) : mediaHeader.readUInt32BE(16);
  return {
    topLevel,
    numSamples: descend(samples, 'stsz').readUInt32BE(8),
    durationSeconds: duration / timescale,
    width: entry.readUInt16BE(24),
    height: entry.readUInt16BE(26),
    profile: descend(entry.subarray(78), 'avcC').readUInt8(1),
    colour: [
      colour.readUInt16BE(4),
      colour.readUInt16BE(6),
      colour.readUInt16BE(8),
      (colour.readUInt8(10) & 0x80) !== 0,
    ],
    comment: readComment(bytes),
  };
}

function readComment(bytes: Buffer): string | undefined {
  const meta = childBoxes(descend(bytes, 'moov')).some(([type]) => type === 'udta')
    ? descend(bytes, 'moov', 'udta', 'meta')
    : undefined;
  if (meta === undefined) return undefined;
  const tags = childBoxes(descend(meta.subarray(4), 'ilst'));
  const comment = tags.find(([type]) => type === '\xa9cmt')?.[1];
  // The value follows a type and a locale of four bytes each.
  return comment && descend(comment, 'data').subarray(8).toString('utf8');
}

function childBoxes(bytes: Buffer): [type: string, content: Buffer][] {
  const boxes: [string, Buffer][] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) throw new Error(`box of ${size} bytes at ${at}`);
    boxes.push([bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, at + size)]);
    at += size;
  }
  return boxes;
}

function descend(bytes: Buffer, ...types: string[]): Buffer {
  return types.reduce((content, type) => {
    const box = childBoxes(content).find(([candidate]) => candidate === type);
    if (!box) throw new Error(`no ${type} box`);
    return box[1];
  }, bytes);
}
