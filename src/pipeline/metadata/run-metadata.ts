import { createHash } from 'node:crypto';
import { digestOfFile } from '../../hub/download/digest.ts';
import { DEFAULT_QUALITY } from '../../media/video/open-video.ts';
import type { ModelFolder } from '../../weights/model-folder.ts';
import type { VideoRequest } from '../request.ts';
import { checkpointDigests } from './checkpoint-digests.ts';
import { metadataText, type VideoMetadata } from './video-metadata.ts';

/** What a run knows about itself before it starts. */
export type RunFacts = Omit<
  VideoMetadata,
  'generator' | 'version' | 'node' | 'model' | 'checkpoint' | 'image' | 'crf' | 'tiling'
>;

/**
 * The metadata of a run's video. Digests of large files take their time, so this goes on beside the run.
 *
 * @param signal - ends it at once; digests that are not there by then are null.
 * @param tiling - how the decoder is cut, once that is decided.
 */
export async function runMetadata(
  request: VideoRequest,
  folder: ModelFolder,
  facts: RunFacts,
  signal: AbortSignal,
  tiling: Promise<VideoMetadata['tiling']>,
): Promise<string> {
  const image = await digestOfPicture(request.image, signal).catch(() => null);
  const checkpoint = await checkpointDigests(folder, signal).catch(() => null);
  const crf = request.crf ?? DEFAULT_QUALITY;
  const found = { model: folder.info.name, checkpoint, image, crf, tiling: await tiling };
  return metadataText({ ...facts, ...found });
}

async function digestOfPicture(
  image: VideoRequest['image'],
  signal: AbortSignal,
): Promise<string | null> {
  if (image === undefined) return null;
  if (typeof image === 'string') return digestOfFile(image, 'sha256', signal);
  return createHash('sha256').update(image).digest('hex');
}
