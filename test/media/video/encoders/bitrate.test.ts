import { expect, test } from 'vitest';
import { bitrateForQuality } from '../../../../src/media/video/encoders/bitrate.ts';

const at = (quality: number, width = 832, height = 480): number =>
  bitrateForQuality({ width, height, fps: 30, quality });

test('is half a bit per pixel at the default quality', () => {
  expect(at(16)).toBe(Math.round((832 * 480 * 30) / 2));
});

test.each([
  [64, 48],
  [640, 480],
  [832, 480],
])('falls with every step of quality at %i x %i', (width, height) => {
  for (let quality = 1; quality <= 51; quality++) {
    expect(at(quality, width, height)).toBeLessThan(at(quality - 1, width, height));
  }
});

test('stays within what the encoder can use', () => {
  expect(at(0, 100_000, 100_000)).toBe(2 ** 31 - 1);
});
