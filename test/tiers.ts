import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FramePackError } from '../src/errors.ts';
import { Device } from '../src/tensor/device.ts';

/** What a test needs, told by its file name: `x.test.ts` is unit, `x.gpu.test.ts` is gpu, and so on. */
export type Tier = 'unit' | 'cpu' | 'sim' | 'gpu';

/** The virtual CUDA driver that `npm run build:cuda` makes; the sim tier loads it in place of NVIDIA's. */
export const VIRTUAL_DRIVER: string = built('../build/cuda/libcuda_sim.so');

/** No library: the cpu tier names it as the CUDA driver, so that its tests touch no GPU that happens to be there. */
export const NO_DRIVER = 'libcuda-of-no-gpu.so';

const KERNELS = built('../build/kernels/framepack.fatbin');

/** Why this machine cannot run a tier, or nothing when it can. */
export function tierObstacle(tier: string | undefined): string | undefined {
  if (tier !== 'sim' && tier !== 'gpu') return undefined;
  if (!existsSync(KERNELS)) return 'the kernels are not built (npm run build:cuda, needs nvcc)';
  if (tier === 'sim') return existsSync(VIRTUAL_DRIVER) ? undefined : 'libcuda_sim.so is not built';
  return gpuObstacle();
}

/** Whether the loader finds a CUDA driver library, working or not. */
export function hasDriverLibrary(): boolean {
  return !/expected the library/.test(openFailure() ?? '');
}

/** Why there is no GPU to test. One that is there and does not work is none: its tests run and fail. */
function gpuObstacle(): string | undefined {
  const failure = openFailure();
  const isAbsent = /expected the library|expected a GPU, got none|CUDA_ERROR_NO_DEVICE/;
  return failure !== undefined && isAbsent.test(failure) ? failure : undefined;
}

let opened: { readonly failure: string | undefined } | undefined;

/** What opening the GPU says, cuInit included, or nothing when it opens; asked once in a process. */
function openFailure(): string | undefined {
  opened ??= { failure: tryOpen() };
  return opened.failure;
}

function tryOpen(): string | undefined {
  try {
    void Device.open('cuda').close();
    return undefined;
  } catch (error) {
    if (error instanceof FramePackError) return error.message;
    throw error;
  }
}

function built(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
