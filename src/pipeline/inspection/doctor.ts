import { availableParallelism, freemem, totalmem } from 'node:os';
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
    'build the kernels with "npm run build:cuda" (needs nvcc), or reinstall the package; ' +
    'the CPU device works without',
};

/** Examines this machine: Node, addon, processor, GPU, memory and video encoders. */
export async function examineMachine(): Promise<readonly Finding[]> {
  return [
    nodeFinding(),
    await cpuFinding(),
    await cudaFinding(),
    memoryFinding(),
    await encoderFinding(),
  ];
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
      advice: 'build the addon with "npm run build:native", or reinstall the package',
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
