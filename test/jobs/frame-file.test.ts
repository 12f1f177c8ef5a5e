import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFrameFile, readFrameFile, writeFrameFile } from '../../src/jobs/frame-file.ts';

const FACTS = { origin: 'a'.repeat(64), frameBytes: 12 };
const FRAMES = [1, 2, 3].map((value) => new Uint8Array(12).fill(value));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-frames-'));
  file = path.join(folder, 'frames-0000.rgb');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('frames come back in order, none too', async () => {
  for (const frames of [FRAMES, []]) {
    await writeFrameFile(file, frames, FACTS);
    expect(readdirSync(folder)).toEqual(['frames-0000.rgb']);
    expect(await checkFrameFile(file, FACTS)).toBe(frames.length);
    const read: Uint8Array[] = [];
    for await (const frame of readFrameFile(file, 12)) read.push(frame);
    expect(read).toEqual(frames);
  }
});

test('a file of another origin, size or version is none, and so is a missing one', async () => {
  expect(await checkFrameFile(file, FACTS)).toBeNull();
  await writeFrameFile(file, FRAMES, FACTS);
  expect(await checkFrameFile(file, { ...FACTS, origin: 'b'.repeat(64) })).toBeNull();
  expect(await checkFrameFile(file, { ...FACTS, frameBytes: 6 })).toBeNull();
  const text = readFileSync(file, 'latin1').replace('"version":1', '"version":2');
  writeFileSync(file, text, 'latin1');
  expect(await checkFrameFile(file, FACTS)).toBeNull();
});

test('a file that is torn or of which a bit is flipped is none', async () => {
  await writeFrameFile(file, FRAMES, FACTS);
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at += 11) {
    writeFileSync(file, whole);
    truncateSync(file, at);
    expect(await checkFrameFile(file, FACTS), `torn at ${at}`).toBeNull();
  }
  for (let at = 512; at < whole.length; at += 5) {
    const flipped = Uint8Array.from(whole);
    flipped[at]! ^= 1;
    writeFileSync(file, flipped);
    expect(await checkFrameFile(file, FACTS), `flipped at ${at}`).toBeNull();
  }
});
