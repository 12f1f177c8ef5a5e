import { conformance } from './conformance.ts';

conformance('reduce', 'cpu', { isa: 'avx2' });
conformance('reduce', 'cpu', { isa: 'avx512' });
