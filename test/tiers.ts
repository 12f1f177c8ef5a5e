import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a test needs, told by its file name: `x.test.ts` is unit, `x.gpu.test.ts` is gpu, and so on. */
export type Tier = 'unit' | 'cpu' | 'sim' | 'gpu';

/** The virtual CUDA driver that `npm run build:cuda` makes; the sim tier loads it in place of NVIDIA's. */
export const VIRTUAL_DRIVER: string = built('../build/cuda/libcuda_sim.so');

const KERNELS = built('../build/kernels/framepack.fatbin');
const NVIDIA_DRIVER = '/proc/driver/nvidia/version';

/** Why this machine cannot run a tier, or nothing when it can. */
export function tierObstacle(tier: string | undefined): string | undefined {
  if (tier !== 'sim' && tier !== 'gpu') return undefined;
  if (!existsSync(KERNELS)) return 'the kernels are not built (npm run build:cuda, needs nvcc)';
  if (tier === 'sim') return existsSync(VIRTUAL_DRIVER) ? undefined : 'libcuda_sim.so is not built';
  return existsSync(NVIDIA_DRIVER) ? undefined : 'this machine has no NVIDIA driver';
}

function built(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
