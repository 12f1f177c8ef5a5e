import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { decodeImage } from '../decode-image.ts';
import { readComment } from '../file-comment.ts';
import { openVideo } from './open-video.ts';
import type { VideoOptions, VideoResult } from './video-writer.ts';

/** How {@link encodeFolder} writes; size and metadata come with the pictures. */
export type EncodeFolderOptions = Pick<
  VideoOptions,
  'path' | 'fps' | 'quality' | 'encoder' | 'overwrite'
>;

const PICTURE = /\.(png|jpe?g|webp)$/i;

/**
 * Makes a video of a folder of numbered pictures, such as a failed run keeps: in the order of their names, with the
 * comment of the first as its own when that is a PNG that has one.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when the folder has no pictures or they differ in size; else as
 *   `openVideo` and `decodeImage`.
 */
export async function encodeFolder(
  folder: string,
  options: EncodeFolderOptions,
): Promise<VideoResult> {
  const names = (await list(folder)).filter((name) => PICTURE.test(name)).toSorted();
  if (names.length === 0) {
    const message = `encode: folder expected numbered pictures, got none in ${folder}`;
    throw new FramePackError('ERR_ARGUMENT', message, { folder });
  }
  const first = path.join(folder, names[0]!);
  const { width, height } = await decodeImage(first);
  const metadata = await readComment(first).catch(() => null);
  const writer = await openVideo({
    ...options,
    ...{ width, height },
    ...(metadata !== null && { metadata }),
  });
  try {
    for (const name of names) {
      const picture = await decodeImage(path.join(folder, name));
      if (picture.width !== width || picture.height !== height) {
        const got = `${picture.width} x ${picture.height} in ${name}`;
        const message = `encode: pictures expected ${width} x ${height} like the first, got ${got}`;
        throw new FramePackError('ERR_ARGUMENT', message, { folder, name });
      }
      await writer.addFrame(picture.data);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const message = `encode: folder expected a folder that can be read, got ${folder}`;
    throw new FramePackError('ERR_ARGUMENT', message, { folder }, cause);
  }
}
