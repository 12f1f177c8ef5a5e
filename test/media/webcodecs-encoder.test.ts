import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { beforeEach, describe, expect, test } from 'vitest';
import { rgbToI420 } from '../../src/media/colour.ts';
import { bitrateForQuality, WebcodecsEncoder } from '../../src/media/webcodecs-encoder.ts';
import { gradientFrame, readMp4, temporaryFolder } from './sample-media.ts';

const codecs = await import('node-webcodecs').catch(() => undefined);
const settings = { width: 96, height: 64, fps: 12, quality: 16 };
const NUM_FRAMES = 20;

describe('H.264 by node-webcodecs', () => {
  let file: string;
  beforeEach((context) => {
    context.skip(codecs === undefined, 'the optional package node-webcodecs is not installed');
    file = path.join(temporaryFolder(), 'video.mp4');
    writeFileSync(file, '');
  });

  async function encode(metadata?: string): Promise<Buffer> {
    const encoder = await WebcodecsEncoder.create(file, {
      ...settings,
      ...(metadata === undefined ? {} : { metadata }),
    });
    for (let t = 0; t < NUM_FRAMES; t++) await encoder!.encode(gradientFrame(96, 64, t));
    await encoder!.finish();
    return readFileSync(file);
  }

  test('has its index in front, BT.709 limited range tags and every frame', async () => {
    const facts = readMp4(await encode());
    expect(facts.topLevel.indexOf('moov')).toBeLessThan(facts.topLevel.indexOf('mdat'));
    expect(facts).toMatchObject({ width: 96, height: 64, numSamples: NUM_FRAMES, profile: 66 });
    expect(facts.durationSeconds).toBeCloseTo(NUM_FRAMES / 12, 6);
    expect(facts.colour).toEqual([1, 1, 1, false]);
    expect(facts.comment).toBeUndefined();
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

  test('a size below 16 pixels is left to other encoders', async () => {
    expect(await WebcodecsEncoder.create(file, { ...settings, width: 14 })).toBeUndefined();
  });

  test('stops in the middle', async () => {
    const encoder = await WebcodecsEncoder.create(file, settings);
    await encoder!.encode(gradientFrame(96, 64, 0));
    await encoder!.abort();
    await encoder!.abort();
    expect(readFileSync(file)).toHaveLength(0);
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

describe('bitrateForQuality', () => {
  const at = (quality: number, width = 832, height = 480): number =>
    bitrateForQuality({ width, height, fps: 30, quality });

  test('is half a bit per pixel at the default quality and falls with worse quality', () => {
    expect(at(16)).toBe(Math.round((832 * 480 * 30) / 2));
    for (let quality = 1; quality <= 51; quality++) {
      expect(at(quality)).toBeLessThanOrEqual(at(quality - 1));
    }
  });

  test('stays within what the encoder can use', () => {
    expect(at(51, 16, 16)).toBe(300_000);
    expect(at(0, 3840, 2160)).toBe(100_000_000);
  });
});
