import { bitrateForQuality } from '../../media/video/encoders/bitrate.ts';
import type { WorkClass } from '../../tensor/work/work-meter.ts';
import type { MemoryEstimate, MemoryPlan } from '../events.ts';
import type { ComputeKind } from '../inputs/device-choice.ts';
import type { Run } from '../open-run.ts';
import type { VideoRequest } from '../request.ts';
import { memoryOf, planWithin } from './plan-memory.ts';
import type { Rehearsal } from './rehearse.ts';
import type { MeasuredStage, StageName } from './stage-recorder.ts';
import { type DeviceRates, secondsOf } from './timing/device-rates.ts';

/** What a stage of a run takes; counts are of all its sections and steps together. */
export interface StageEstimate {
  readonly stage: StageName | 'write';
  /**
   * Weights on the device when the stage needs most, those of other networks that stay there included, and blocks that
   * pass through it one after the other not.
   */
  readonly weightBytes: number;
  /** Everything else on the device then. */
  readonly activationBytes: number;
  /** Highest number of bytes on the device. On the CPU device that is memory of the host, mapped files included. */
  readonly peakBytes: number;
  /** Pictures and finished frames in memory of the host, beside tensors and the program itself. */
  readonly hostBytes: number;
  /** Page-locked memory of the host, through which a GPU is fed; part of no other number. */
  readonly pinnedBytes: number;
  /** Bytes read from disk, as often as weights are loaded, and for `write` those written: the file, and all frames until then. */
  readonly diskBytes: number;
  /** Bytes copied from the host to a GPU. */
  readonly uploadBytes: number;
  /** Floating-point operations; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes of operands and results that cross the memory of the device. */
  readonly movedBytes: number;
  /** Time on the device, without reading from disk and encoding the file; null where its rates are not known. */
  readonly seconds: number | null;
}

/** What a run takes on the device, in the computer, and of work. */
export interface RunEstimate extends MemoryEstimate {
  readonly device: ComputeKind;
  /** How the run would keep to its budget, or what it would do where nothing suffices. */
  readonly memory: MemoryPlan;
  readonly width: number;
  readonly height: number;
  readonly numFrames: number;
  readonly numSections: number;
  /** Sampler steps of each section. */
  readonly numSteps: number;
  /** Time of all stages; null where the rates of the device are not known. */
  readonly totalSeconds: number | null;
  /** What times are based on. */
  readonly rates: DeviceRates | null;
  /** In the order of the work; each once. */
  readonly stages: readonly StageEstimate[];
}

/** The file that a run would write. */
export type FileFacts = Pick<VideoRequest, 'out' | 'crf'>;

const CHANNELS = 3;
const FLOAT_BYTES = 4;
const BITS = 8;
const DEFAULT_QUALITY = 16;
/** `kBytes` of native/cuda/staging_ring.cc. */
const STAGING_BYTES = 16 * 2 ** 20;

/** How a run is estimated. */
export interface EstimateSettings {
  readonly budgetBytes: number | null;
  readonly device: RunEstimate['device'];
  /** Finds the rates of the device for kinds of work; absent: no times. */
  readonly ratesOf?: (classes: readonly WorkClass[]) => Promise<DeviceRates | null>;
}

/** The whole estimate of an open run. */
export async function estimateRun(
  run: Run,
  { budgetBytes, device, ratesOf }: EstimateSettings,
  file: FileFacts,
): Promise<RunEstimate> {
  const { rehearsal, memory } = await planWithin(run, budgetBytes);
  const classes = new Set(rehearsal.stages.flatMap(({ tally }) => [...tally.keys()]));
  const rates = (await ratesOf?.([...classes])) ?? null;
  const { width, height, numFrames, numSections, numSteps } = run.plan;
  const stages = [
    ...rehearsal.stages.map((stage) => complete(stage, run, { device, rates })),
    writing(rehearsal, run, file),
  ];
  const totalSeconds = stages.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  return {
    ...{ device, width, height, numFrames, numSections, numSteps },
    ...{ ...memoryOf(rehearsal), memory },
    ...{ totalSeconds: rates === null ? null : totalSeconds, rates, stages },
  };
}

function complete(
  stage: MeasuredStage,
  run: Run,
  { device, rates }: Pick<RunEstimate, 'device' | 'rates'>,
): StageEstimate {
  const isGpu = device === 'cuda';
  const { weightBytes, peakBytes, diskBytes, tally } = stage;
  const work = [...tally.values()];
  const uploadBytes = isGpu ? diskBytes : 0;
  return {
    ...{ stage: stage.stage, weightBytes, activationBytes: peakBytes - weightBytes, peakBytes },
    hostBytes: hostBytesOf(stage.stage, run),
    pinnedBytes: isGpu ? STAGING_BYTES : 0,
    diskBytes,
    uploadBytes,
    flops: work.reduce((sum, { flops }) => sum + flops, 0),
    movedBytes: work.reduce((sum, { movedBytes }) => sum + movedBytes, 0),
    seconds: rates && secondsOf(tally, uploadBytes, rates),
  };
}

/**
 * What the run keeps on the host: the start picture, its floats while it is encoded, then the frames that a section adds,
 * one at a time while the file is written. The others wait on the disk.
 */
function hostBytesOf(stage: StageName | 'write', { plan, plans, numTrimmed }: Run): number {
  const frameBytes = plan.width * plan.height * CHANNELS;
  if (stage === 'text-encoders') return frameBytes;
  if (stage === 'image-encoder' || stage === 'vae-encode') return frameBytes * (1 + FLOAT_BYTES);
  if (stage === 'write') return frameBytes * 2;
  const numFrames = Math.ceil((plan.numFrames + numTrimmed) / plans.length);
  return frameBytes * (1 + numFrames);
}

function writing({ keptBytes }: Rehearsal, run: Run, { out, crf }: FileFacts): StageEstimate {
  const { width, height, fps, seconds, numFrames } = run.plan;
  const frameBytes = width * height * CHANNELS * numFrames;
  const bits = seconds * bitrateForQuality({ width, height, fps, quality: crf ?? DEFAULT_QUALITY });
  return {
    ...{ stage: 'write', weightBytes: keptBytes, activationBytes: 0, peakBytes: keptBytes },
    ...{ hostBytes: hostBytesOf('write', run), pinnedBytes: 0, uploadBytes: 0 },
    diskBytes: out === undefined ? 0 : frameBytes + Math.ceil(bits / BITS),
    ...{ flops: 0, movedBytes: 0, seconds: null },
  };
}
