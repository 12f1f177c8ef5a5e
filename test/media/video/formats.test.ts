import { expect, test } from 'vitest';
import { ENCODER_NAMES, formatOf, VIDEO_FORMATS } from '../../../src/media/video/formats.ts';

test.each([
  ['a.mp4', 'mp4'],
  ['A.MP4', 'mp4'],
  ['b/a.m4v', 'mp4'],
  ['a.mov', 'mov'],
  ['a.mkv', 'matroska'],
  ['a.b.webm', 'webm'],
  ['a.gif', 'gif'],
  ['frames/', null],
  ['a.mp4/', null],
])('%s is %s', (file, muxer) => {
  expect(formatOf(file).muxer).toBe(muxer);
});

test.each(['a', 'a.txt', 'a.png', 'a.avi', '.mp4', 'a.mp4.'])('%s is refused', (file) => {
  expect(() => formatOf(file)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});

test('every kind takes some of its encoders unasked, and no extension stands for two', () => {
  for (const { encoders, numAutomatic } of VIDEO_FORMATS) {
    expect(numAutomatic).toBeGreaterThan(0);
    expect(numAutomatic).toBeLessThanOrEqual(encoders.length);
  }
  const extensions = VIDEO_FORMATS.flatMap((format) => format.extensions);
  expect(new Set(extensions).size).toBe(extensions.length);
  expect(ENCODER_NAMES).toContain('png');
});
