import { FramePackError } from '../errors.ts';
import { formatOf } from '../media/video/formats.ts';
import { openVideo } from '../media/video/open-video.ts';
import { keptInJob, rescueFrames } from '../media/video/rescue.ts';
import type { BeforePublish, FrameSource, VideoOptions } from '../media/video/video-writer.ts';

/** Where the finished video goes. Disposing it before {@link VideoOutput.write} leaves nothing behind. */
export interface VideoOutput extends AsyncDisposable {
  /** Whether a video was asked for and numbered pictures are written, because no encoder is there. */
  readonly isFallback: boolean;
  /** What was asked for; null for nothing. */
  readonly path: string | null;
  /**
   * Writes all frames; the path of the file, or null when none was asked for.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT` when that fails; the frames are then kept, see `rescueFrames`, unless a job has them.
   */
  write(frames: FrameSource, options?: WriteOptions): Promise<string | null>;
}

/** How a video is written. */
export interface WriteOptions {
  /** Folder of the job that can make the video again. */
  readonly job?: string | undefined;
  /** Called before each frame, with its index; may throw to stop. */
  readonly beforeFrame?: (frameIndex: number) => void;
  /** Called once all is written, before the video gets its name. */
  readonly beforePublish?: BeforePublish;
}

/**
 * Reserves the file at once, so that a run does not end with a name that is taken or a folder that is missing.
 *
 * @param options - null to keep the frames in memory only.
 * @throws {@link FramePackError} `ERR_OUTPUT`.
 */
export async function openOutput(options: VideoOptions | null): Promise<VideoOutput> {
  if (options === null) {
    return {
      ...{ isFallback: false, path: null },
      write: async () => null,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const writer = await openVideo(options);
  const wantsPictures = options.encoder === 'png' || formatOf(options.path).muxer === null;
  return {
    isFallback: writer.encoder === 'png' && !wantsPictures,
    path: options.path,
    write: async (frames, { job, beforeFrame, beforePublish } = {}) => {
      try {
        let index = 0;
        for await (const frame of frames) {
          beforeFrame?.(index++);
          await writer.addFrame(frame);
        }
        return (await writer.finish(beforePublish)).path;
      } catch (error) {
        if (!(error instanceof FramePackError) || error.code !== 'ERR_OUTPUT') throw error;
        // What is half written takes the room that the frames need.
        await writer.abort();
        throw job === undefined
          ? await rescueFrames(frames, options, error)
          : keptInJob(error, job);
      }
    },
    [Symbol.asyncDispose]: () => writer.abort(),
  };
}
