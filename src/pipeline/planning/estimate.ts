import { join } from 'node:path';
import { FramePackError, show } from '../../errors.ts';
import { userCacheFolder } from '../../hub/hub-settings.ts';
import { openModel } from '../model/open-model.ts';
import { openRunOf } from '../open-run.ts';
import { checkRequest, type GenerateRequest, splitRequest } from '../request.ts';
import { type EstimateSettings, estimateRun, type RunEstimate } from './run-estimate.ts';
import { ASSUMED_DEVICES, type AssumedDevice, peakRates } from './timing/assumed-devices.ts';
import { measuredRates } from './timing/measured-rates.ts';

/** What an estimate goes by besides the request. */
export interface EstimateOptions {
  /** A GPU whose stated peak rates give the times, in place of those measured here; the device is then `cuda`. */
  readonly assume?: AssumedDevice | undefined;
  /** Folder of the file in which measured rates are kept; default `framepack-node` in the user's cache. */
  readonly cacheFolder?: string | undefined;
}

const RATES_FILE = 'device-rates.json';

/**
 * What a video would take: memory, disk, work and time of every stage, found by a run on the `meta` device. Of weights
 * only headers are read, and the device of the request need not be there, so that a computer without a GPU tells what
 * one with it would need. Where the device is there, the first estimate measures its rates, in a second or two, and keeps
 * them.
 *
 * @throws {@link FramePackError} as `generate` for bad input; `ERR_ARGUMENT` for a GPU that is not known.
 * @example
 * const { peakBytes, totalSeconds } = await estimate({ model, image: 'start.png', prompt }, { assume: 'rtx4090' });
 */
export async function estimate(
  request: GenerateRequest,
  { assume, cacheFolder = join(userCacheFolder(), 'framepack-node') }: EstimateOptions = {},
): Promise<RunEstimate> {
  const checked = checkRequest(request);
  checkAssumed(checked, assume);
  const { load: given, request: asked } = splitRequest(checked);
  const { out, job: _, ...video } = asked;
  const load = {
    ...given,
    device: assume === undefined ? (given.device ?? 'cpu') : 'cuda',
  } as const;
  const { device, budgetBytes = null } = load;
  const ratesOf: EstimateSettings['ratesOf'] = async (classes) =>
    assume === undefined
      ? await measuredRates(load, classes, join(cacheFolder, RATES_FILE))
      : peakRates(assume);
  await using model = await openModel(load, 'meta');
  await using run = await openRunOf(model, video, () => {});
  return await estimateRun(run, { budgetBytes, device, ratesOf }, { out, crf: video.crf });
}

function checkAssumed({ device }: GenerateRequest, assume: AssumedDevice | undefined): void {
  if (assume === undefined) return;
  const fault = (expected: string, got: string): FramePackError =>
    new FramePackError('ERR_ARGUMENT', `estimate: assume expected ${expected}, got ${got}`, {
      argument: 'assume',
    });
  if (!ASSUMED_DEVICES.includes(assume)) throw fault(ASSUMED_DEVICES.join(', '), show(assume));
  if (device === 'cpu') throw fault('no GPU with device cpu', assume);
}
