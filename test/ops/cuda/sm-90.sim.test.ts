import { vi } from 'vitest';
import { cudaConformance } from '../conformance.ts';

// A GPU of the H100 kind: much shared memory, warps in random order.
vi.stubEnv('CUDA_SIM_CHECK', '1');
vi.stubEnv('CUDA_SIM_CAPABILITY', '9.0');
vi.stubEnv('CUDA_SIM_SHARED_LIMIT', String(227 * 1024));
vi.stubEnv('CUDA_SIM_MULTIPROCESSORS', '132');
vi.stubEnv('CUDA_SIM_SCHEDULE', 'random:20');

cudaConformance();
