import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hasOpenh264 } from '../../../../src/media/video/encoders/openh264.ts';
import { encoded, texturedFrames } from './encoded.ts';

const isHere = await hasOpenh264(64, 64);

test('a size below 16 pixels is left to other encoders', async () => {
  expect(await hasOpenh264(14, 64)).toBe(false);
});

test.skipIf(!isHere)(
  'sizes fall with every step of quality',
  async () => {
    const frames = texturedFrames(640, 480, 12);
    const sizes: number[] = [];
    for (const quality of [1, 16, 28, 40, 51]) {
      const options = { width: 640, height: 480, fps: 30, quality };
      sizes.push(statSync(await encoded('openh264', frames, options)).size);
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(sizes).size).toBe(sizes.length);
  },
  60_000,
);
