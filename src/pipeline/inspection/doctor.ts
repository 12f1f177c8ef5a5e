import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, FramePackError } from '../../errors.ts';
import { hubSettings } from '../../hub/hub-settings.ts';
import { loadSharp } from '../../media/decode-image.ts';
import { availableEncoders } from '../../media/video/open-video.ts';
import { Device, type DeviceDescription, type DeviceKind } from '../../tensor/device.ts';
import { MEMORY_TIERS, tierOf } from '../planning/memory-budget.ts';
import { hostMemory } from './host-memory.ts';
import { fittingTier } from './memory-tiers.ts';
import { cachedModels, freeBytesAround } from './model-cache.ts';

/** Verdict on one thing that a run needs or could use. */
export interface Finding {
  readonly subject: string;
  /** `missing` lowers speed or features; `broken` prevents runs. */
  readonly status: 'ok' | 'missing' | 'broken';
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What to do about a CUDA device that does not open. */
const CUDA_ADVICE: Partial<Record<ErrorCode, string>> = {
  ERR_CUDA_DRIVER:
    'GPU runs need an NVIDIA GPU (RTX 30 or newer, A100 or newer) and driver (R580 or newer); ' +
    'FRAMEPACK_CUDA_DRIVER, if set, must name a CUDA driver library; the CPU device works without',
  ERR_NATIVE_LOAD:
    'build the kernels with "npx framepack build" where nvcc is, in a clone with "npm run build:cuda"; ' +
    'the CPU device works without',
};

type Probe = () => Finding | Promise<Finding>;

/** What is examined, in the order of the report. */
const PROBES: readonly (readonly [subject: string, probe: Probe])[] = [
  ['node', nodeFinding],
  ['cpu', cpuFinding],
  ['cuda', cudaFinding],
  ['memory', memoryFinding],
  ['disk', diskFinding],
  ['cache', cacheFinding],
  ['temporary', temporaryFinding],
  ['pictures', picturesFinding],
  ['video', encoderFinding],
];

/** What to examine besides the machine. */
export interface ExamineOptions {
  /** A model, as for `generate`, of which the finding says what GPU it needs. */
  readonly model?: string | undefined;
}

/**
 * Examines this machine: Node, addon, processor, GPU, memory, disk, Hugging Face cache, temporary folder, pictures
 * and video encoders.
 */
export async function examineMachine({ model }: ExamineOptions = {}): Promise<readonly Finding[]> {
  const ofModel = [['model', () => modelFinding(model!)]] as const;
  return examine(model === undefined ? PROBES : [...PROBES, ...ofModel]);
}

/** Runs probes; one that fails is a finding of its own and hides no other. */
export async function examine(
  probes: readonly (readonly [subject: string, probe: Probe])[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [subject, probe] of probes) {
    try {
      findings.push(await probe());
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      findings.push({
        subject,
        status: 'broken',
        detail,
        advice: 'report this to the maintainers',
      });
    }
  }
  return findings;
}

function nodeFinding(): Finding {
  return {
    subject: 'node',
    status: 'ok',
    detail: `${process.version} ${process.platform} ${process.arch}`,
  };
}

async function cpuFinding(): Promise<Finding> {
  const opened = await describe('cpu');
  if (opened instanceof FramePackError) {
    return {
      subject: 'cpu',
      status: 'broken',
      detail: opened.message,
      advice: 'build the addon with "npx framepack build" (needs CMake and a C++20 compiler)',
    };
  }
  return { subject: 'cpu', status: 'ok', detail: factsOf(opened) };
}

async function cudaFinding(): Promise<Finding> {
  const opened = await describe('cuda');
  if (opened instanceof FramePackError) {
    return {
      subject: 'cuda',
      status: 'missing',
      detail: opened.message,
      advice: CUDA_ADVICE[opened.code] ?? 'see the message; the CPU device works without',
    };
  }
  const { freeBytes = 0, totalBytes = 0, ...facts } = opened;
  const memory = `${gibibytes(freeBytes)} of ${gibibytes(totalBytes)} GiB free`;
  const tier = tierOf(freeBytes);
  const detail = `${factsOf(facts)}, memory ${memory}, tier ${tier?.name ?? 'none'}`;
  if (tier !== null) return { subject: 'cuda', status: 'ok', detail };
  const needed = gibibytes(MEMORY_TIERS[0]!.budgetBytes);
  const advice = `end other programs on the GPU: the smallest tier needs ${needed} GiB free`;
  return { subject: 'cuda', status: 'missing', detail, advice };
}

/** Facts about a device, or why it does not open. */
async function describe(kind: DeviceKind): Promise<DeviceDescription | FramePackError> {
  try {
    await using device = Device.open(kind);
    return device.describe();
  } catch (error) {
    return codedError(error);
  }
}

/** An error that says what is wrong; any other is thrown on. */
function codedError(error: unknown): FramePackError {
  if (error instanceof FramePackError) return error;
  throw error;
}

/** One line of them. */
function factsOf({ kind: _, ...facts }: DeviceDescription): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

async function memoryFinding(): Promise<Finding> {
  const { availableBytes, totalBytes, commitBytes } = await hostMemory();
  const available = `${gibibytes(availableBytes)} of ${gibibytes(totalBytes)} GiB available`;
  const commit =
    commitBytes === null ? 'no commit limit' : `${gibibytes(commitBytes)} GiB to commit`;
  const detail = `${available}, ${commit}, ${availableParallelism()} cores`;
  return { subject: 'memory', status: 'ok', detail };
}

async function diskFinding(): Promise<Finding> {
  const subject = 'disk';
  const { cacheFolder } = hubSettings();
  const freeBytes = await freeBytesAround(cacheFolder);
  const wanted = Math.min(...cachedModels(cacheFolder).map(({ missingBytes }) => missingBytes));
  const detail = `${gibibytes(freeBytes)} GiB free for ${cacheFolder}`;
  if (freeBytes >= wanted) return { subject, status: 'ok', detail };
  const advice =
    `a released model still needs ${gibibytes(wanted)} GiB: free some, ` +
    'or let HF_HOME name a folder on another disk';
  return { subject, status: 'missing', detail, advice };
}

function cacheFinding(): Finding {
  const subject = 'cache';
  const models = cachedModels(hubSettings().cacheFolder);
  const detail = models
    .map(({ repository, missing, missingBytes }) =>
      missing.length === 0
        ? `${repository} is there`
        : `${repository} lacks ${gibibytes(missingBytes)} GiB`,
    )
    .join('; ');
  if (models.some(({ missing }) => missing.length === 0)) return { subject, status: 'ok', detail };
  const advice = `framepack pull ${models[0]!.repository}`;
  return { subject, status: 'missing', detail, advice };
}

/** What GPU a model needs, and whether the one that is here is one. */
async function modelFinding(model: string): Promise<Finding> {
  const subject = 'model';
  const fitting = await fittingTier(model).catch(codedError);
  if (fitting instanceof FramePackError) {
    const advice = 'see the message; framepack inspect shows what is in a model';
    return { subject, status: 'broken', detail: fitting.message, advice };
  }
  const largest = MEMORY_TIERS.at(-1)!.name;
  const detail =
    fitting === null
      ? `${model} needs more GPU memory than the tier ${largest}`
      : `${model} needs the tier ${fitting.tier.name}: ${gibibytes(fitting.peakBytes)} GiB with tiling ${fitting.memory.tiling}${fitting.memory.transformer === 'streams' ? ', the transformer block by block' : ''}`;
  const gpu = await describe('cuda');
  const freeBytes = gpu instanceof FramePackError ? null : (gpu.freeBytes ?? 0);
  const isEnough = fitting !== null && (freeBytes === null || freeBytes >= fitting.peakBytes);
  if (isEnough) return { subject, status: 'ok', detail };
  const advice = 'framepack estimate tells which stage needs most; fewer bytes: fp8 weights';
  return { subject, status: 'missing', detail, advice };
}

async function temporaryFinding(): Promise<Finding> {
  const subject = 'temporary';
  const folder = tmpdir();
  try {
    await rm(await mkdtemp(join(folder, 'framepack-')), { recursive: true });
    return { subject, status: 'ok', detail: folder };
  } catch (error) {
    return {
      subject,
      status: 'missing',
      detail: error instanceof Error ? error.message : String(error),
      advice: 'let TMPDIR name a folder that exists and can be written',
    };
  }
}

async function picturesFinding(): Promise<Finding> {
  const subject = 'pictures';
  const sharp = await loadSharp('decodeImage').catch(codedError);
  if (!(sharp instanceof FramePackError)) {
    const { sharp: version, vips } = sharp.versions;
    return { subject, status: 'ok', detail: `sharp ${version}, libvips ${vips}` };
  }
  return {
    subject,
    status: 'missing',
    detail: sharp.message,
    advice: 'start pictures, PNG previews and numbered pictures need it; the rest works without',
  };
}

async function encoderFinding(): Promise<Finding> {
  const encoders = await availableEncoders();
  if (encoders.length > 0) {
    return { subject: 'video', status: 'ok', detail: encoders.join(', ') };
  }
  return {
    subject: 'video',
    status: 'missing',
    detail: 'no encoder: videos become folders of PNG pictures',
    advice: 'install ffmpeg with libx264, or the optional package node-webcodecs',
  };
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
