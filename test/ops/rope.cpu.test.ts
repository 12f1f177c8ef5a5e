import { conformance } from './conformance.ts';

conformance('rope', 'cpu', { isa: 'avx2' });
conformance('rope', 'cpu', { isa: 'avx512' });
