import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, FramePackError } from '../../errors.ts';
import { availableEncoders } from '../../media/video/open-video.ts';
import { Device, type DeviceKind } from '../../tensor/device.ts';

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
  ['temporary', temporaryFinding],
  ['video', encoderFinding],
];

/** Examines this machine: Node, addon, processor, GPU, memory, temporary folder and video encoders. */
export async function examineMachine(): Promise<readonly Finding[]> {
  return examine(PROBES);
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
  return { subject: 'cpu', status: 'ok', detail: opened };
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
  return { subject: 'cuda', status: 'ok', detail: opened };
}

/** One line of facts about a device, or why it does not open. */
async function describe(kind: DeviceKind): Promise<string | FramePackError> {
  try {
    await using device = Device.open(kind);
    const { kind: _, ...facts } = device.describe();
    return Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  } catch (error) {
    if (error instanceof FramePackError) return error;
    throw error;
  }
}

function memoryFinding(): Finding {
  const detail = `${gibibytes(freemem())} of ${gibibytes(totalmem())} GiB free, ${availableParallelism()} cores`;
  return { subject: 'memory', status: 'ok', detail };
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
