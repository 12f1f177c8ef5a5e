import path from 'node:path';
import { FramePackError } from '../../errors.ts';

/** Encoders by the names that ffmpeg has for them; `openh264` is the one of `node-webcodecs`, `png` our own. */
export type EncoderName =
  | 'libx264'
  | 'libx265'
  | 'libsvtav1'
  | 'libaom-av1'
  | 'libvpx-vp9'
  | 'gif'
  | 'openh264'
  | 'png';

/** A kind of file, told by its extension. */
export interface VideoFormat {
  readonly extensions: readonly string[];
  /** What ffmpeg calls the container; null for a folder of pictures. */
  readonly muxer: string | null;
  /** What may fill it. */
  readonly encoders: readonly EncoderName[];
  /** How many of them, from the first, are taken unless one is asked for. */
  readonly numAutomatic: number;
}

/** Ends a path that means a folder of numbered pictures. */
const FOLDER_END = /[/\\]$/;

const PICTURES: VideoFormat = {
  extensions: [],
  muxer: null,
  encoders: ['png'],
  numAutomatic: 1,
};

/** The kinds of files that can be written, the most usual first. HEVC and AV1 are only taken when asked for. */
export const VIDEO_FORMATS: readonly VideoFormat[] = [
  {
    extensions: ['.mp4', '.m4v'],
    muxer: 'mp4',
    encoders: ['libx264', 'openh264', 'libx265', 'libsvtav1', 'libaom-av1'],
    numAutomatic: 2,
  },
  { extensions: ['.mov'], muxer: 'mov', encoders: ['libx264', 'libx265'], numAutomatic: 1 },
  {
    extensions: ['.mkv'],
    muxer: 'matroska',
    encoders: ['libx264', 'libx265', 'libsvtav1', 'libaom-av1', 'libvpx-vp9'],
    numAutomatic: 1,
  },
  {
    extensions: ['.webm'],
    muxer: 'webm',
    encoders: ['libvpx-vp9', 'libsvtav1', 'libaom-av1'],
    numAutomatic: 3,
  },
  { extensions: ['.gif'], muxer: 'gif', encoders: ['gif'], numAutomatic: 1 },
];

/** Every encoder there is. */
export const ENCODER_NAMES: readonly EncoderName[] = [
  ...new Set([...VIDEO_FORMATS, PICTURES].flatMap(({ encoders }) => encoders)),
];

/**
 * The kind of file that a path names.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for an extension that is none of ours.
 */
export function formatOf(file: string): VideoFormat {
  if (FOLDER_END.test(file)) return PICTURES;
  const extension = path.extname(file).toLowerCase();
  const format = VIDEO_FORMATS.find(({ extensions }) => extensions.includes(extension));
  if (format !== undefined) return format;
  const known = VIDEO_FORMATS.flatMap(({ extensions }) => extensions).join(', ');
  throw new FramePackError(
    'ERR_ARGUMENT',
    `out expected a name with ${known}, or a folder name with / at its end for numbered pictures, ` +
      `got ${extension === '' ? 'none of them' : extension} in "${path.basename(file)}"`,
    { extension },
  );
}
