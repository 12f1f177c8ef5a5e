import { FramePackError } from '../errors.ts';
import { formatOf } from '../media/video/formats.ts';
import { openVideo } from '../media/video/open-video.ts';
import { rescueFrames } from '../media/video/rescue.ts';
import type { BeforePublish, VideoOptions } from '../media/video/video-writer.ts';

/** Where the finished video goes. Disposing it before {@link VideoOutput.write} leaves nothing behind. */
export interface VideoOutput extends AsyncDisposable {
  /** Whether a video was asked for and numbered pictures are written, because no encoder is there. */
  readonly isFallback: boolean;
  /** What was asked for; null for nothing. */
  readonly path: string | null;
  /**
   * Writes all frames; the path of the file, or null when none was asked for.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT` when that fails; the frames are then kept, see `rescueFrames`.
   */
  write(frames: readonly Uint8Array[], hooks?: WriteHooks): Promise<string | null>;
}

/** What is called while a video is written; both may throw to stop. */
export interface WriteHooks {
  /** Before each frame, with its index. */
  readonly beforeFrame?: (frameIndex: number) => void;
  /** Once all is written, before the video gets its name. */
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
    write: async (frames, { beforeFrame, beforePublish } = {}) => {
      try {
        for (const [index, frame] of frames.entries()) {
          beforeFrame?.(index);
          await writer.addFrame(frame);
        }
        return (await writer.finish(beforePublish)).path;
      } catch (error) {
        if (!(error instanceof FramePackError) || error.code !== 'ERR_OUTPUT') throw error;
        // What is half written takes the room that the frames need.
        await writer.abort();
        throw await rescueFrames(frames, options, error);
      }
    },
    [Symbol.asyncDispose]: () => writer.abort(),
  };
}
