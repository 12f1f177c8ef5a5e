import { conformance } from './conformance.ts';

conformance('elementwise', 'cpu', { isa: 'avx2' });
conformance('elementwise', 'cpu', { isa: 'avx512' });
