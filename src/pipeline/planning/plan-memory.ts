import { FramePackError } from '../../errors.ts';
import { FULL_TILING } from '../../models/vae/tiling.ts';
import type { MemoryEstimate } from '../events.ts';
import type { Run } from '../open-run.ts';
import { rehearse } from './rehearse.ts';

/** A larger budget may keep more networks on the device and so raise the peak; a few rounds settle it. */
const MAX_ROUNDS = 4;

/**
 * How much memory a run will take, found out before anything is computed.
 *
 * @throws {@link FramePackError} `ERR_OUT_OF_MEMORY` when that is more than its budget, saying what would fit.
 */
export async function planMemory(run: Run): Promise<MemoryEstimate> {
  const { budgetBytes } = run.context;
  const estimate = await memoryUnder(run, budgetBytes);
  if (budgetBytes === null || estimate.peakBytes <= budgetBytes) return estimate;
  const tiled = run.tiling === FULL_TILING ? null : await inTiles(run, budgetBytes);
  const needed = await sufficientBytes(run, estimate);
  const missing = estimate.peakBytes - budgetBytes;
  const advice = tiled === null ? '' : ', or tiling full (--tiling full)';
  throw new FramePackError(
    'ERR_OUT_OF_MEMORY',
    `generate: budgetBytes expected at least ${mebibytes(needed)} for this video, got ${mebibytes(budgetBytes)}: ` +
      `${neediest(estimate)} would exceed it by ${mebibytes(missing)}; ` +
      `what fits: --max-memory ${mebibytes(needed).replace(' ', '')}${advice}`,
    { budgetBytes, neededBytes: needed, ...estimate, fitsWithFullTiling: tiled !== null },
  );
}

/** The estimate with the decoder in spatial tiles, or null when that does not fit either. */
async function inTiles(run: Run, budgetBytes: number): Promise<MemoryEstimate | null> {
  const estimate = await memoryUnder({ ...run, tiling: FULL_TILING }, budgetBytes);
  return estimate.peakBytes <= budgetBytes ? estimate : null;
}

/** A budget under which the run takes no more than it. */
async function sufficientBytes(run: Run, first: MemoryEstimate): Promise<number> {
  let needed = first.peakBytes;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { peakBytes } = await memoryUnder(run, needed);
    if (peakBytes <= needed) return needed;
    needed = peakBytes;
  }
  return needed;
}

async function memoryUnder(run: Run, budgetBytes: number | null): Promise<MemoryEstimate> {
  const { encodeBytes, sampleBytes, decodeBytes, peakBytes } = await rehearse(run, budgetBytes);
  return { encodeBytes, sampleBytes, decodeBytes, peakBytes };
}

function neediest({ peakBytes, decodeBytes, sampleBytes }: MemoryEstimate): string {
  if (peakBytes === decodeBytes) return 'decoding';
  return peakBytes === sampleBytes ? 'sampling' : 'encoding';
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
