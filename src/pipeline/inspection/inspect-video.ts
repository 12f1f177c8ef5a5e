import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FramePackError } from '../../errors.ts';
import { readComment } from '../../media/file-comment.ts';
import { FIRST_PICTURE } from '../../media/png.ts';
import { parseMetadata, type VideoMetadata } from '../metadata/video-metadata.ts';

/**
 * Reads how a video was made from the file itself.
 *
 * @param path - an MP4, MOV, MKV, WebM or PNG file, or a folder of numbered pictures.
 * @throws {@link FramePackError} `ERR_ARGUMENT` when it cannot be read; `ERR_UNSUPPORTED` when it is no such file, or holds
 *   no parameters of this package.
 */
export async function inspectVideo(path: string): Promise<VideoMetadata> {
  const picture = join(path, FIRST_PICTURE);
  const comment = await readComment(existsSync(picture) ? picture : path);
  const metadata = comment === null ? null : parseMetadata(comment);
  if (metadata !== null) return metadata;
  throw new FramePackError(
    'ERR_UNSUPPORTED',
    `inspectVideo: ${path} expected parameters of framepack-node in it, got ${comment === null ? 'no' : 'another'} comment`,
    { path },
  );
}
