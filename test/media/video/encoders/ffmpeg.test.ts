import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { ffmpegCommand, ffmpegEncoders } from '../../../../src/media/video/encoders/ffmpeg.ts';
import { gradientFrame, readMp4, temporaryFolder } from '../../sample-media.ts';
import { encoded, probe } from './encoded.ts';

const settings = { width: 96, height: 64, fps: 12, quality: 16 };
const here = await ffmpegEncoders();
const NUM_FRAMES = 20;

describe('ffmpegCommand', () => {
  const target = { muxer: 'mp4', encoder: 'libx264' } as const;

  test('only files and pipes may be opened, and the file is no protocol', () => {
    const list = ffmpegCommand('/x/concat:a.mp4', target, settings);
    expect(list[list.indexOf('-protocol_whitelist') + 1]).toBe('file,pipe');
    expect(list.at(-1)).toBe('file:/x/concat:a.mp4');
    expect(list).not.toContain('-metadata');
  });

  test('metadata is one argument, whatever it holds', () => {
    const metadata = '-i "x"; rm $HOME';
    const list = ffmpegCommand('/x/a.mp4', target, { ...settings, metadata });
    expect(list[list.indexOf('-metadata') + 1]).toBe('comment=-i "x"; rm $HOME');
  });
});

test('without the program there are no encoders', async () => {
  vi.stubEnv('PATH', temporaryFolder());
  expect(await ffmpegEncoders()).toEqual(new Set());
  vi.unstubAllEnvs();
});

const STREAMS = [
  ['libx264', '.mp4', { codec_name: 'h264', profile: 'High', codec_tag_string: 'avc1' }],
  ['libx264', '.mov', { codec_name: 'h264', profile: 'High' }],
  ['libx264', '.mkv', { codec_name: 'h264', profile: 'High' }],
  ['libx265', '.mp4', { codec_name: 'hevc', profile: 'Main', codec_tag_string: 'hvc1' }],
  ['libsvtav1', '.mp4', { codec_name: 'av1', profile: 'Main' }],
  ['libaom-av1', '.webm', { codec_name: 'av1', profile: 'Main' }],
  ['libvpx-vp9', '.webm', { codec_name: 'vp9', profile: 'Profile 0' }],
] as const;

describe.each(STREAMS)('%s in %s', { timeout: 60_000 }, (encoder, extension, facts) => {
  test.skipIf(!here.has(encoder))('is what it says, with every frame', async () => {
    const frames = Array.from({ length: NUM_FRAMES }, (_, t) => gradientFrame(96, 64, t));
    const metadata = JSON.stringify({ prompt: '\u{1F642}\n"=;#\\', seed: 1 });
    const file = await encoded(encoder, frames, { ...settings, metadata }, extension);
    const { stream, tags } = probe(file);
    expect(stream).toMatchObject({ ...facts, width: 96, height: 64, pix_fmt: 'yuv420p' });
    expect(stream).toMatchObject({ color_space: 'bt709', color_range: 'tv' });
    expect(stream).toMatchObject({ nb_read_frames: String(NUM_FRAMES), avg_frame_rate: '12/1' });
    // Quicktime keeps comments under a name of its own, Matroska in capitals.
    expect(tags.comment ?? tags.COMMENT).toBe(metadata);
    if (extension === '.mp4') {
      const bytes = readFileSync(file).toString('latin1');
      expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    }
  });
});

test.skipIf(!here.has('gif'))('gif holds every frame', async () => {
  const frames = Array.from({ length: NUM_FRAMES }, (_, t) => gradientFrame(96, 64, t));
  const { stream } = probe(await encoded('gif', frames, settings));
  expect(stream).toMatchObject({ codec_name: 'gif', nb_read_frames: String(NUM_FRAMES) });
});

test.skipIf(!here.has('libx264'))(
  'an MP4 has its index in front and its colours named',
  async () => {
    const frames = Array.from({ length: NUM_FRAMES }, (_, t) => gradientFrame(96, 64, t));
    const facts = readMp4(readFileSync(await encoded('libx264', frames, settings)));
    expect(facts.topLevel.indexOf('moov')).toBeLessThan(facts.topLevel.indexOf('mdat'));
    expect(facts).toMatchObject({ width: 96, height: 64, numSamples: NUM_FRAMES, profile: 100 });
    expect(facts.durationSeconds).toBeCloseTo(NUM_FRAMES / 12, 6);
    expect(facts.colour).toEqual([1, 1, 1, false]);
  },
);

test.skipIf(!here.has('libx264'))('the best quality is still what browsers play', async () => {
  const options = { ...settings, quality: 0 };
  const { stream } = probe(await encoded('libx264', [gradientFrame(96, 64, 0)], options));
  expect(stream).toMatchObject({ profile: 'High', pix_fmt: 'yuv420p' });
});
