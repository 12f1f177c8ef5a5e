import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { describe, expect, test } from 'vitest';
import { rgbToI420 } from '../../../../src/media/colour.ts';
import { openh264Command } from '../../../../src/media/video/encoders/openh264.ts';
import { gradientFrame, readMp4, temporaryFolder } from '../../sample-media.ts';
import { encoded } from './encoded.ts';

const codecs = await import('node-webcodecs').catch(() => undefined);
const settings = { width: 96, height: 64, fps: 12, quality: 16 };
const NUM_FRAMES = 20;

describe.skipIf(codecs === undefined)('H.264 by node-webcodecs', { timeout: 60_000 }, () => {
  async function encode(metadata?: string): Promise<Buffer> {
    const frames = Array.from({ length: NUM_FRAMES }, (_, t) => gradientFrame(96, 64, t));
    const options = { ...settings, ...(metadata === undefined ? {} : { metadata }) };
    return readFileSync(await encoded('openh264', frames, options));
  }

  test('has its index in front, BT.709 limited range tags and every frame', async () => {
    const facts = readMp4(await encode());
    expect(facts.topLevel.indexOf('moov')).toBeLessThan(facts.topLevel.indexOf('mdat'));
    expect(facts).toMatchObject({ width: 96, height: 64, numSamples: NUM_FRAMES, profile: 66 });
    expect(facts.durationSeconds).toBeCloseTo(NUM_FRAMES / 12, 6);
    expect(facts.colour).toEqual([1, 1, 1, false]);
    expect(facts.comment).toBeUndefined();
  });

  test('the same frames make the same bytes at another time', async () => {
    const first = await encode();
    await sleep(1100);
    expect((await encode()).equals(first)).toBe(true);
  });

  test('metadata comes back whole', async () => {
    const metadata = JSON.stringify({ prompt: `\u{1F642}\n"=;#\\ ${'long '.repeat(2000)}` });
    expect(readMp4(await encode(metadata)).comment).toBe(metadata);
  });

  test('pictures survive within a few levels', async () => {
    const frames = await decodeWithWebcodecs(await encode());
    expect(frames).toHaveLength(NUM_FRAMES);
    frames.forEach((planes, t) => {
      const expected = rgbToI420(gradientFrame(96, 64, t), 96, 64);
      const differences = planes.map((value, index) => Math.abs(value - expected[index]!));
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      expect(mean).toBeLessThan(2);
    });
  });

  test('a frame that is cut off is an error', () => {
    const file = path.join(temporaryFolder(), 'video.mp4');
    const [program, ...args] = openh264Command(file, settings) as [string, ...string[]];
    const result = spawnSync(program, args, { input: Buffer.alloc(100), encoding: 'utf8' });
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('the last frame ends after 100 of 9216 bytes');
  });
});

/** I420 planes of every frame. */
async function decodeWithWebcodecs(bytes: Buffer): Promise<Uint8Array[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const track = (await input.getPrimaryVideoTrack())!;
  const config = (await track.getDecoderConfig())!;
  const copies: Promise<Uint8Array>[] = [];
  const failures: unknown[] = [];
  const decoder = new codecs!.VideoDecoder({
    output: (frame) => {
      const planes = new Uint8Array(frame.allocationSize());
      copies.push(
        frame.copyTo(planes).then(() => {
          frame.close();
          return planes;
        }),
      );
    },
    error: (error) => failures.push(error),
  });
  decoder.configure(config as Parameters<typeof decoder.configure>[0]);
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const { type, data, microsecondTimestamp: timestamp } = packet;
    decoder.decode(new codecs!.EncodedVideoChunk({ type, data, timestamp }));
  }
  await decoder.flush();
  decoder.close();
  expect(failures).toEqual([]);
  return Promise.all(copies);
}
