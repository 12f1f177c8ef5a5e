import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { loadSharp } from '../decode-image.ts';
import { OutputFile } from '../output-file.ts';
import { PngSequenceEncoder } from '../png.ts';
import { ffmpegCommand, ffmpegEncoders } from './encoders/ffmpeg.ts';
import { hasOpenh264, openh264Command } from './encoders/openh264.ts';
import { ProcessEncoder } from './encoders/process-encoder.ts';
import { FileVideoWriter } from './file-video-writer.ts';
import { ENCODER_NAMES, type EncoderName, formatOf, type VideoFormat } from './formats.ts';
import type { EncoderSettings, FrameEncoder, VideoOptions, VideoWriter } from './video-writer.ts';

/** Quality unless another is asked for: that of the reference application. */
export const DEFAULT_QUALITY: number = 16;
const WORST_QUALITY = 51;
/** One argument of a program cannot be longer than 128 KiB on Linux. */
const MAX_METADATA_BYTES = 100_000;
/** Any size that every encoder takes. */
const PROBE_SIDE = 64;

/**
 * Opens a video for writing. The extension of the path decides what it is: `.mp4`, `.m4v`, `.mov`, `.mkv`, `.webm`,
 * `.gif`, or a folder of numbered PNG pictures for a path that ends in `/`.
 *
 * Video is yuv420p, BT.709 limited range; MP4 has its index in front. Of the encoders that suit the file the first is
 * taken that works here: the machine's `ffmpeg`, for MP4 also `node-webcodecs`. An MP4 that nothing here can make
 * becomes a folder of pictures named like the file; {@link VideoWriter.encoder} then is `png`.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for another extension, odd sizes and other unusable options;
 *   `ERR_OUTPUT` when the file exists or cannot be created; `ERR_UNSUPPORTED` when this machine cannot make it;
 *   `ERR_NATIVE_LOAD` for pictures when the package `sharp` is not whole.
 */
export async function openVideo(options: VideoOptions): Promise<VideoWriter> {
  const format = formatOf(options.path);
  checkOptions(options, format);
  const encoder = await chooseEncoder(options, format);
  if (encoder === 'png') return openPictures(options);
  const output = await OutputFile.reserveFile(options.path, options.overwrite);
  const file = output.temporaryPath;
  const start = async (): Promise<FrameEncoder> => {
    const settings = await settingsOf(options);
    const command =
      encoder === 'openh264'
        ? openh264Command(file, settings)
        : ffmpegCommand(file, { muxer: format.muxer!, encoder }, settings);
    return new ProcessEncoder(command, encoder, settings);
  };
  return new FileVideoWriter(output, start, encoder, options);
}

/** Encoders that work on this machine, pictures aside. */
export async function availableEncoders(): Promise<EncoderName[]> {
  const installed = await ffmpegEncoders();
  const isThere = await hasOpenh264(PROBE_SIDE, PROBE_SIDE);
  return ENCODER_NAMES.filter((name) => installed.has(name) || (name === 'openh264' && isThere));
}

async function chooseEncoder(
  { encoder: wanted, width, height, path: file }: VideoOptions,
  format: VideoFormat,
): Promise<EncoderName> {
  if (format.muxer === null || wanted === 'png') return 'png';
  const candidates =
    wanted === undefined ? format.encoders.slice(0, format.numAutomatic) : [wanted];
  const installed = await ffmpegEncoders();
  for (const name of candidates) {
    const works = name === 'openh264' ? await hasOpenh264(width, height) : installed.has(name);
    if (works) return name;
  }
  // Whoever asks for nothing special gets the frames of an MP4 in any case.
  if (wanted === undefined && format.encoders.includes('openh264')) return 'png';
  throw new FramePackError(
    'ERR_UNSUPPORTED',
    `openVideo: ${path.extname(file)} expected an encoder that works here for ${width} x ${height}, got none of ` +
      `${candidates.join(', ')}; install ffmpeg with it`,
    { encoders: candidates },
  );
}

/** Where the numbered pictures of a video go: the folder that its path means, or one named like the file. */
export function picturesFolder(file: string): string {
  const { dir, name, ext } = path.parse(file);
  const isFolder = formatOf(file).muxer === null;
  return path.join(dir, isFolder ? `${name}${ext}` : `${name}-frames`);
}

async function openPictures(options: VideoOptions): Promise<VideoWriter> {
  await loadSharp('openVideo');
  const output = await OutputFile.reserveFolder(picturesFolder(options.path), options.overwrite);
  const start = async (): Promise<FrameEncoder> =>
    new PngSequenceEncoder(output.temporaryPath, await settingsOf(options));
  return new FileVideoWriter(output, start, 'png', options);
}

async function settingsOf(options: VideoOptions): Promise<EncoderSettings> {
  const { width, height, fps, quality = DEFAULT_QUALITY } = options;
  const metadata = await options.metadata;
  checkMetadata(metadata);
  return { width, height, fps, quality, ...(metadata === undefined ? {} : { metadata }) };
}

function checkOptions(options: VideoOptions, format: VideoFormat): void {
  const { width, height, fps, quality = DEFAULT_QUALITY, metadata, encoder } = options;
  const isPositiveInteger = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!isPositiveInteger(width) || !isPositiveInteger(height) || width % 2 || height % 2) {
    throw argumentError('size', 'even numbers of pixels (4:2:0)', `${width} x ${height}`);
  }
  if (!isPositiveInteger(fps)) throw argumentError('fps', 'a positive integer', fps);
  if (!Number.isInteger(quality) || quality < 0 || quality > WORST_QUALITY) {
    throw argumentError('quality', `an integer from 0 to ${WORST_QUALITY}`, quality);
  }
  if (encoder !== undefined && encoder !== 'png' && !format.encoders.includes(encoder)) {
    const expected = `one of ${format.encoders.join(', ')} for this kind of file`;
    throw argumentError('encoder', expected, encoder);
  }
  if (typeof metadata === 'string') checkMetadata(metadata);
}

function checkMetadata(metadata: string = ''): void {
  const metadataBytes = Buffer.byteLength(metadata);
  if (metadataBytes > MAX_METADATA_BYTES || metadata.includes('\0')) {
    const got = `${metadataBytes} bytes${metadata.includes('\0') ? ' with a NUL' : ''}`;
    throw argumentError('metadata', `at most ${MAX_METADATA_BYTES} bytes without NUL`, got);
  }
}

function argumentError(name: string, expected: string, got: unknown): FramePackError {
  return new FramePackError('ERR_ARGUMENT', `openVideo: ${name} expected ${expected}, got ${got}`, {
    [name]: got,
  });
}
