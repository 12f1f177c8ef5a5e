import { vi } from 'vitest';
import { cudaConformance } from '../conformance.ts';

// A GPU with a single multiprocessor, which makes every launch large; last warp first.
vi.stubEnv('CUDA_SIM_CHECK', '1');
vi.stubEnv('CUDA_SIM_CAPABILITY', '12.0');
vi.stubEnv('CUDA_SIM_MULTIPROCESSORS', '1');
vi.stubEnv('CUDA_SIM_SCHEDULE', 'descending');

cudaConformance();
