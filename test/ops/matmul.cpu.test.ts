import { conformance } from './conformance.ts';

conformance('matmul', 'cpu', { isa: 'avx2' });
conformance('matmul', 'cpu', { isa: 'avx512' });
