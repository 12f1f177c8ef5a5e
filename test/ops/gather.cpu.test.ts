import { conformance } from './conformance.ts';

conformance('gather', 'cpu', { isa: 'avx2' });
conformance('gather', 'cpu', { isa: 'avx512' });
