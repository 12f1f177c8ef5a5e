import { join } from 'node:path';
import { FramePackError, show } from '../../errors.ts';
import { userCacheFolder } from '../../hub/hub-settings.ts';
import type { Device } from '../../tensor/device.ts';
import { openChosenDevice } from '../inputs/device-choice.ts';
import { openModelOnMeta } from '../model/open-model.ts';
import { openRunOf } from '../open-run.ts';
import { checkRequest, type GenerateRequest, type LoadOptions, splitRequest } from '../request.ts';
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
  const { load, request: asked } = splitRequest(checked);
  const { out, job: _, ...video } = asked;
  await using device = assume === undefined ? openIfThere(load) : null;
  const kind = device?.kind === 'cpu' ? 'cpu' : 'cuda';
  const ratesOf: EstimateSettings['ratesOf'] = async (classes) => {
    if (assume !== undefined) return peakRates(assume);
    return device && (await measuredRates(device, classes, join(cacheFolder, RATES_FILE)));
  };
  await using model = await openModelOnMeta(load, kind);
  await using run = await openRunOf(model, video, () => {});
  const { budgetBytes = null } = load;
  const settings = { budgetBytes, device: kind, ratesOf } as const;
  return await estimateRun(run, settings, { out, crf: video.crf });
}

/** The device of a request, or null for a GPU that was asked for by name and does not open. */
function openIfThere({ device: choice = 'auto', threads }: LoadOptions): Device | null {
  try {
    return openChosenDevice(choice, { threads }).device;
  } catch (error) {
    if (choice !== 'auto' && choice !== 'cpu' && error instanceof FramePackError) return null;
    throw error;
  }
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
