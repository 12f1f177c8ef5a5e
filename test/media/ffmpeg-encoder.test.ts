import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FfmpegEncoder, ffmpegArguments } from '../../src/media/ffmpeg-encoder.ts';
import { gradientFrame, readMp4, temporaryFolder } from './sample-media.ts';

const PROGRAM = 'ffmpeg';
const settings = { width: 96, height: 64, fps: 12, quality: 16 };

describe('ffmpegArguments', () => {
  test('only files and pipes may be opened, and the file is no protocol', () => {
    const list = ffmpegArguments('/x/concat:a.mp4', settings);
    expect(list[list.indexOf('-protocol_whitelist') + 1]).toBe('file,pipe');
    expect(list.at(-1)).toBe('file:/x/concat:a.mp4');
    expect(list).not.toContain('-metadata');
  });

  test('metadata is one argument, whatever it holds', () => {
    const list = ffmpegArguments('/x/a.mp4', { ...settings, metadata: '-i "x"; rm $HOME' });
    expect(list[list.indexOf('-metadata') + 1]).toBe('comment=-i "x"; rm $HOME');
  });
});

describe('H.264 by ffmpeg', () => {
  let file: string;
  beforeEach((context) => {
    context.skip(!hasLibx264(), 'there is no ffmpeg with libx264 on the PATH');
    file = path.join(temporaryFolder(), 'video.mp4');
    writeFileSync(file, '');
  });

  test('makes the same kind of file as the first encoder', async () => {
    const metadata = JSON.stringify({ prompt: '\u{1F642}\n"=;#\\', seed: 1 });
    const encoder = await FfmpegEncoder.create(file, { ...settings, metadata });
    for (let t = 0; t < 20; t++) await encoder!.encode(gradientFrame(96, 64, t));
    await encoder!.finish();
    const facts = readMp4(readFileSync(file));
    expect(facts.topLevel.indexOf('moov')).toBeLessThan(facts.topLevel.indexOf('mdat'));
    expect(facts).toMatchObject({ width: 96, height: 64, numSamples: 20, profile: 100 });
    expect(facts.durationSeconds).toBeCloseTo(20 / 12, 6);
    expect(facts.colour).toEqual([1, 1, 1, false]);
    expect(facts.comment).toBe(metadata);
  });

  test('tells the message of a program that fails', async () => {
    const encoder = await FfmpegEncoder.create(path.join(file, 'none', 'a.mp4'), settings);
    await encoder!.encode(gradientFrame(96, 64, 0)).catch(() => undefined);
    await expect(encoder!.finish()).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringMatching(/exit status \d+: .*Not a directory/u),
    });
  });

  test('is ended by abort', async () => {
    const encoder = await FfmpegEncoder.create(file, settings);
    await encoder!.encode(gradientFrame(96, 64, 0));
    await encoder!.abort();
    rmSync(file);
    await expect(encoder!.encode(gradientFrame(96, 64, 1))).rejects.toMatchObject({
      message: expect.stringContaining('SIGKILL'),
    });
  });
});

function hasLibx264(): boolean {
  try {
    return execFileSync(PROGRAM, ['-encoders'], { stdio: 'pipe' }).includes('libx264');
  } catch {
    return false;
  }
}
