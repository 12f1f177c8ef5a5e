import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EncoderName } from '../formats.ts';
import type { EncoderSettings } from '../video-writer.ts';

const COMMAND = 'ffmpeg';
const PROBE_MS = 20_000;
const WORST_QUALITY = 51;

/** Worst value of the constant quality of VP9 and AV1. */
const WORST_VPX = 63;
const MAX_GIF_COLOURS = 256;

/** An encoder of ffmpeg: what makes it obey our quality and stay with what browsers play. */
interface FfmpegEncoder {
  readonly arguments: (quality: number) => readonly string[];
  /** Tag that players of Apple want to see in MP4 and MOV. */
  readonly tag?: string;
}

const YUV = ['-pix_fmt', 'yuv420p'];

/** At 0 encoders become lossless: larger than anybody expects, or in a profile that no browser plays. */
const BEST_LOSSY = 1;

function vpxQuality(quality: number): string {
  const scaled = Math.round((quality * WORST_VPX) / WORST_QUALITY);
  return String(Math.max(scaled, BEST_LOSSY));
}

const ENCODERS: Readonly<Partial<Record<EncoderName, FfmpegEncoder>>> = {
  libx264: {
    arguments: (quality) => [
      ...['-c:v', 'libx264', '-crf', String(Math.max(quality, BEST_LOSSY))],
      ...['-profile:v', 'high', ...YUV],
    ],
  },
  libx265: {
    arguments: (quality) => [
      ...[
        '-c:v',
        'libx265',
        '-crf',
        String(Math.max(quality, BEST_LOSSY)),
        '-profile:v',
        'main',
        ...YUV,
      ],
      ...['-x265-params', 'log-level=error'],
    ],
    tag: 'hvc1',
  },
  libsvtav1: {
    arguments: (quality) => [
      ...['-c:v', 'libsvtav1', '-crf', vpxQuality(quality)],
      ...['-preset', '6', ...YUV],
    ],
  },
  'libaom-av1': {
    arguments: (quality) => [
      ...['-c:v', 'libaom-av1', '-crf', vpxQuality(quality), '-b:v', '0'],
      ...['-cpu-used', '6', '-row-mt', '1', ...YUV],
    ],
  },
  'libvpx-vp9': {
    arguments: (quality) => [
      ...['-c:v', 'libvpx-vp9', '-crf', vpxQuality(quality), '-b:v', '0'],
      ...['-deadline', 'good', '-cpu-used', '3', '-row-mt', '1', ...YUV],
    ],
  },
  gif: {
    // A picture of at most 256 colours knows no other quality than their number.
    arguments: (quality) => [
      '-filter_complex',
      `[0:v]split[a][b];[a]palettegen=max_colors=${MAX_GIF_COLOURS - 4 * quality}[p];[b][p]paletteuse`,
    ],
  },
};

/** Which encoders the `ffmpeg` on the `PATH` has; empty without one. */
export async function ffmpegEncoders(): Promise<ReadonlySet<EncoderName>> {
  try {
    const probe = await promisify(execFile)(COMMAND, ['-hide_banner', '-encoders'], {
      timeout: PROBE_MS,
    });
    const listed = new Set(probe.stdout.split('\n').map((line) => line.trim().split(/\s+/)[1]));
    const known = Object.keys(ENCODERS) as EncoderName[];
    return new Set(known.filter((name) => listed.has(name)));
  } catch {
    return new Set();
  }
}

/** The whole command line that makes a video of I420 frames from standard input. */
export function ffmpegCommand(
  file: string,
  { muxer, encoder }: { readonly muxer: string; readonly encoder: EncoderName },
  settings: EncoderSettings,
): string[] {
  const { width, height, fps, quality, metadata } = settings;
  const { arguments: encoderArguments, tag } = ENCODERS[encoder]!;
  const colour = [
    ...['-color_range', 'tv', '-colorspace', 'bt709'],
    ...['-color_primaries', 'bt709', '-color_trc', 'bt709'],
  ];
  const isIso = muxer === 'mp4' || muxer === 'mov';
  return [
    ...[COMMAND, '-hide_banner', '-nostdin', '-loglevel', 'error', '-xerror'],
    ...['-protocol_whitelist', 'file,pipe'],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`],
    ...['-framerate', String(fps), ...colour, '-i', 'pipe:0', '-an'],
    ...encoderArguments(quality),
    ...(encoder === 'gif' ? [] : colour),
    ...(isIso && tag !== undefined ? ['-tag:v', tag] : []),
    ...(metadata === undefined ? [] : ['-metadata', `comment=${metadata}`]),
    ...(isIso ? ['-movflags', '+faststart'] : []),
    ...['-f', muxer, '-y', `file:${file}`],
  ];
}
