import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { EncoderName } from '../../../../src/media/video/formats.ts';
import { VIDEO_FORMATS } from '../../../../src/media/video/formats.ts';
import { openVideo } from '../../../../src/media/video/open-video.ts';
import type { VideoOptions } from '../../../../src/media/video/video-writer.ts';
import { temporaryFolder } from '../../sample-media.ts';

const PROBE = 'ffprobe';

/** Path of a video that an encoder made of some frames. */
export async function encoded(
  encoder: EncoderName,
  frames: readonly Uint8Array[],
  options: Omit<VideoOptions, 'path' | 'encoder'>,
  extension: string = VIDEO_FORMATS.find(({ encoders }) => encoders.includes(encoder))!
    .extensions[0]!,
): Promise<string> {
  const file = path.join(temporaryFolder(), `video${extension}`);
  const writer = await openVideo({ ...options, path: file, encoder });
  for (const frame of frames) await writer.addFrame(frame);
  return (await writer.finish()).path;
}

/** What ffprobe says of the video stream of a file. */
export interface StreamFacts {
  readonly codec_name: string;
  readonly profile?: string;
  readonly pix_fmt: string;
  readonly width: number;
  readonly height: number;
  readonly color_space?: string;
  readonly color_range?: string;
  readonly codec_tag_string: string;
  /** Frames that were decoded. */
  readonly nb_read_frames: string;
  readonly avg_frame_rate: string;
}

/** Decodes a whole file with ffmpeg's own tool and says what it is. */
export function probe(file: string): { stream: StreamFacts; tags: Record<string, string> } {
  const show = ['-show_streams', '-show_format', '-count_frames', '-of', 'json'];
  const text = execFileSync(PROBE, ['-v', 'error', ...show, file], { encoding: 'utf8' });
  const { streams, format } = JSON.parse(text);
  return { stream: streams[0], tags: format.tags ?? {} };
}

/** Frames with detail everywhere that moves: no encoder makes them small without losing something. */
export function texturedFrames(width: number, height: number, count: number): Uint8Array[] {
  const texture = new Uint8Array(width * height * 3);
  let state = 7;
  for (let index = 0; index < texture.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const x = (index / 3) % width;
    const wave = 128 + 60 * Math.sin(x / 9) + 40 * Math.cos(index / width / 30);
    texture[index] = Math.max(0, Math.min(255, wave + ((state >>> 24) - 128) / 3));
  }
  return Array.from({ length: count }, (_, frame) => {
    const shift = frame * 6;
    return Uint8Array.from([...texture.subarray(shift), ...texture.subarray(0, shift)]);
  });
}
