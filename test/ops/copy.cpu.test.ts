import { conformance } from './conformance.ts';

conformance('copy', 'cpu', { isa: 'avx2' });
conformance('copy', 'cpu', { isa: 'avx512' });
