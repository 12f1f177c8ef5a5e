import { conformance } from './conformance.ts';

conformance('attention', 'cpu', { isa: 'avx2' });
conformance('attention', 'cpu', { isa: 'avx512' });
