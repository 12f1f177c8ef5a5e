import { FramePackError } from '../../errors.ts';
import { FULL_TILING, TEMPORAL_TILING } from '../../models/vae/tiling.ts';
import { Device } from '../../tensor/device.ts';
import { scope } from '../../tensor/scope.ts';
import type { ModelPart } from '../../weights/model-folder.ts';
import type { MemoryEstimate, MemoryPlan } from '../events.ts';
import type { Run } from '../open-run.ts';
import { RunReporter } from '../progress/run-reporter.ts';
import { ALL_STAY, type Placements, Residency } from '../residency.ts';
import { transformer } from '../sections/networks.ts';
import { type Rehearsal, rehearse } from './rehearse.ts';

/** A run that keeps to its memory, and what it will take. */
export interface PlannedRun {
  readonly run: Run;
  readonly rehearsal: Rehearsal;
  readonly memory: MemoryPlan;
  /** Whether it keeps to the budget; where it does not, no plan takes less. */
  readonly fits: boolean;
}

/**
 * Decides before anything is computed which networks stay on the device, go after each use, or pass through it block by
 * block, and whether the decoder works in tiles.
 *
 * @throws {@link FramePackError} `ERR_OUT_OF_MEMORY` when nothing fits, saying how much is missing and what would fit.
 */
export async function planMemory(run: Run): Promise<PlannedRun> {
  const { budgetBytes, device } = run.context;
  const planned = await planWithin(run, budgetBytes);
  if (planned.memory.transformer !== 'stays') run.context.residency.release();
  if (planned.fits || budgetBytes === null) return planned;
  const tiled =
    run.settings.tiling === 'temporal' &&
    (await planWithin({ ...run, settings: { ...run.settings, tiling: 'full' } }, budgetBytes)).fits;
  const { rehearsal } = planned;
  const estimate = memoryOf(rehearsal);
  const needed = mebibytes(estimate.peakBytes);
  const missing = mebibytes(estimate.peakBytes - budgetBytes);
  const isGiven = device.memory().budgetBytes !== null;
  const got = `${mebibytes(budgetBytes)}${isGiven ? '' : ' that the GPU has free'}`;
  const fitting = isGiven
    ? `what fits: --max-memory ${needed.replace(' ', '')}`
    : 'what helps: a GPU with more';
  throw new FramePackError(
    'ERR_OUT_OF_MEMORY',
    `generate: budgetBytes expected at least ${needed} for this video, got ${got}: ` +
      `${neediest(estimate)} would exceed it by ${missing}; ${fitting}${tiled ? ', or tiling full (--tiling full)' : ''}`,
    { budgetBytes, neededBytes: estimate.peakBytes, ...estimate, fitsWithFullTiling: tiled },
  );
}

/**
 * The fastest of the plans that keep to a budget, else the one that takes least. In order: all stay; transformer and
 * decoder take turns; what does not fit even alone streams, and of the transformer's blocks as many stay as fit.
 *
 * @param budgetBytes - null for no limit: all stay.
 */
export async function planWithin(run: Run, budgetBytes: number | null): Promise<PlannedRun> {
  const { tiling: asked } = run.settings;
  const choice = { tiling: asked ?? 'temporal', budgetBytes } as const;
  // Rehearsals of full-size networks take seconds: those that cannot fit are left out.
  const exceeds = (part: ModelPart): boolean =>
    budgetBytes !== null && run.context.folder.weightBytes(part) > budgetBytes;
  if (!exceeds('transformer')) {
    const all = await planned(run, ALL_STAY, choice);
    if (all.fits || budgetBytes === null) return all;
  }
  const turns = await planned(run, inTurns(exceeds), choice);
  const least = turns.fits ? turns : await smallest(turns, exceeds);
  const { tiling, ...placements } = least.memory;
  if (!least.fits || placements.transformer !== 'streams') return least;
  const roomBytes = (budgetBytes ?? 0) - least.rehearsal.sampleBytes;
  const numResident = await partsWithin(least.run, roomBytes);
  const most = await planned(run, { ...placements, numResident }, { ...choice, tiling });
  return most.fits ? most : least;
}

/** Which of the large networks pass through the device. */
type Streams = (part: ModelPart) => boolean;

/** One network after the other. */
function inTurns(streams: Streams): Placements {
  return {
    ...{ transformer: streams('transformer') ? 'streams' : 'goes', numResident: 0 },
    ...{ textEncoder: streams('text_encoder') ? 'streams' : 'goes', decoder: 'goes' },
  };
}

/** Every stage that went beyond the budget with what it takes least. */
function smallest({ run, rehearsal, memory }: PlannedRun, streams: Streams): Promise<PlannedRun> {
  const limit = memory.budgetBytes ?? Number.POSITIVE_INFINITY;
  const { encodeBytes, sampleBytes, decodeBytes } = rehearsal;
  const placements = inTurns((part) => {
    const needed = part === 'transformer' ? sampleBytes : encodeBytes;
    return streams(part) || needed > limit;
  });
  const tiling = run.settings.tiling ?? (decodeBytes > limit ? 'full' : 'temporal');
  return planned(run, placements, { ...memory, tiling });
}

async function planned(
  run: Run,
  placements: Placements,
  { tiling, budgetBytes }: Pick<MemoryPlan, 'tiling' | 'budgetBytes'>,
): Promise<PlannedRun> {
  const changed: Run = {
    ...run,
    context: { ...run.context, placements },
    tiling: tiling === 'full' ? FULL_TILING : TEMPORAL_TILING,
  };
  // What an earlier video has left is freed unless it is to stay.
  const residency = placements === ALL_STAY ? run.context.residency : new Residency();
  const rehearsal = await rehearse({ ...changed, context: { ...changed.context, residency } });
  const fits = budgetBytes === null || rehearsal.peakBytes <= budgetBytes;
  return { run: changed, rehearsal, memory: { ...placements, tiling, budgetBytes }, fits };
}

/** How many parts of a transformer that streams can stay besides the two that pass, in so many bytes. */
async function partsWithin(run: Run, roomBytes: number): Promise<number> {
  const none = await residentBytes(run, 0);
  let [fitting, beyond] = [0, none.numParts + 1];
  while (beyond - fitting > 1) {
    const middle = Math.floor((fitting + beyond) / 2);
    const { bytes } = await residentBytes(run, middle);
    if (bytes - none.bytes <= roomBytes) fitting = middle;
    else beyond = middle;
  }
  return fitting;
}

async function residentBytes(
  run: Run,
  numResident: number,
): Promise<{ readonly bytes: number; readonly numParts: number }> {
  await using device = Device.open('meta');
  const placements = { ...run.context.placements, numResident };
  const reporter = new RunReporter(device, run.plan, () => {});
  const context = { ...run.context, device, placements, reporter, observer: undefined };
  return await scope(async () => {
    const { config } = await transformer(context).load();
    const numParts = 2 * (config.numDoubleBlocks + config.numSingleBlocks);
    return { bytes: device.memory().currentBytes, numParts };
  });
}

/** The four numbers of an estimate. */
export function memoryOf(estimate: MemoryEstimate): MemoryEstimate {
  const { encodeBytes, sampleBytes, decodeBytes, peakBytes } = estimate;
  return { encodeBytes, sampleBytes, decodeBytes, peakBytes };
}

function neediest({ peakBytes, decodeBytes, sampleBytes }: MemoryEstimate): string {
  if (peakBytes === decodeBytes) return 'decoding';
  return peakBytes === sampleBytes ? 'sampling' : 'encoding';
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
