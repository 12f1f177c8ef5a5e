import type { EncoderSettings } from '../video-writer.ts';

/** What openh264 takes as a number of bits. */
const MAX_BITRATE = 2 ** 31 - 1;

/**
 * Bits per second for a quality on x264's scale, since openh264 has no constant quality here. On detailed
 * moving pictures 0.5 bits per pixel gave 40 dB, which x264 reaches near 20; five and a half steps double it.
 */
export function bitrateForQuality(settings: EncoderSettings): number {
  const bitsPerPixel = 0.5 * 2 ** ((16 - settings.quality) / 5.5);
  const bitrate = bitsPerPixel * settings.width * settings.height * settings.fps;
  return Math.round(Math.min(Math.max(bitrate, 1), MAX_BITRATE));
}
