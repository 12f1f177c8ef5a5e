import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ffmpegEncoders } from '../../../../src/media/video/encoders/ffmpeg.ts';
import { encoded, texturedFrames } from './encoded.ts';

const here = await ffmpegEncoders();
const QUALITIES = [1, 16, 28, 40, 51];

// A file without a test is a failure, so one is named, and skipped, where FFmpeg is not.
const SUBJECTS = here.size === 0 ? (['libx264'] as const) : [...here];

test.skipIf(here.size === 0).each(SUBJECTS)(
  'sizes by %s fall with every step of quality',
  async (encoder) => {
    const frames = texturedFrames(640, 480, 3);
    const sizes: number[] = [];
    for (const quality of QUALITIES) {
      const file = await encoded(encoder, frames, { width: 640, height: 480, fps: 30, quality });
      sizes.push(statSync(file).size);
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(sizes).size).toBe(sizes.length);
  },
  180_000,
);
