import { openModel } from '../model/open-model.ts';
import { openRunOf } from '../open-run.ts';
import { checkRequest, type GenerateRequest, splitRequest } from '../request.ts';
import { estimateRun, type RunEstimate } from './run-estimate.ts';

/**
 * What a video would take: memory, disk and work of every stage, found by a run on the `meta` device. Of weights only
 * headers are read, and the device of the request need not be there, so that a computer without a GPU tells what one
 * with it would need.
 *
 * @throws {@link FramePackError} as `generate` for bad input.
 * @example
 * const { peakBytes, stages } = await estimate({ model, image: 'start.png', prompt, device: 'cuda' });
 */
export async function estimate(request: GenerateRequest): Promise<RunEstimate> {
  const { load, request: asked } = splitRequest(checkRequest(request));
  const { out, job: _, ...video } = asked;
  const { device = 'cpu', budgetBytes = null } = load;
  await using model = await openModel(load, 'meta');
  await using run = await openRunOf(model, video, () => {});
  return await estimateRun(run, { budgetBytes, device }, { out, crf: video.crf });
}
