import { vi } from 'vitest';
import { cudaConformance } from '../conformance.ts';

// A small GPU of the RTX 30 generation: small tiles, warps in order.
vi.stubEnv('CUDA_SIM_CHECK', '1');

cudaConformance();
