import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { OutputFile } from '../output-file.ts';
import { PngSequenceEncoder } from '../png.ts';
import type { FrameSource, VideoOptions } from './video-writer.ts';

/**
 * Keeps the frames of a video that could not be written, as numbered PNG pictures: beside the video, or where that
 * disk is full too in the temporary folder or at home.
 *
 * @param failure - why the video could not be written.
 * @returns the failure with where the frames are and how to make the video of them.
 */
export async function rescueFrames(
  frames: FrameSource,
  options: VideoOptions,
  failure: FramePackError,
): Promise<FramePackError> {
  const name = `${path.basename(options.path, path.extname(options.path))}-frames`;
  for (const folder of [path.dirname(path.resolve(options.path)), tmpdir(), homedir()]) {
    const kept = await writePictures(frames, options, path.join(folder, name)).catch(() => null);
    if (kept === null) continue;
    const { fps, path: out } = options;
    const message =
      `${failure.message}; the ${frames.numFrames} frames are kept in ${kept}: make room, then run ` +
      `"framepack encode ${shellWord(kept)} --fps ${fps} --out ${shellWord(out)}"`;
    return new FramePackError(failure.code, message, { ...failure.details, frames: kept }, failure);
  }
  const message = `${failure.message}; there is no room anywhere to keep the frames`;
  return new FramePackError(failure.code, message, failure.details, failure);
}

/** The failure with how to write the video of a job, which has everything it takes. */
export function keptInJob(failure: FramePackError, folder: string): FramePackError {
  const message =
    `${failure.message}; the job keeps all sections: make room, then run ` +
    `"framepack resume ${shellWord(folder)}"`;
  return new FramePackError(failure.code, message, { ...failure.details, job: folder }, failure);
}

async function writePictures(
  frames: FrameSource,
  options: VideoOptions,
  wanted: string,
): Promise<string> {
  const { width, height, fps, quality = 0 } = options;
  const output = await reserveNumbered(wanted);
  const metadata = await options.metadata;
  const settings = { width, height, fps, quality, ...(metadata !== undefined && { metadata }) };
  const encoder = new PngSequenceEncoder(output.temporaryPath, settings);
  try {
    for await (const frame of frames) await encoder.encode(frame);
    await encoder.finish();
    await output.publish();
    return output.path;
  } catch (error) {
    await output.discard();
    throw error;
  }
}

const MAX_NUMBER = 1000;

/** Reserves a folder of that name, or with a number behind it where there is one already. */
async function reserveNumbered(wanted: string): Promise<OutputFile> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      return await OutputFile.reserveFolder(name);
    } catch (error) {
      if (number === MAX_NUMBER || !/an existing one/.test(String(error))) throw error;
    }
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
