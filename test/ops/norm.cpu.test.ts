import { conformance } from './conformance.ts';

conformance('norm', 'cpu', { isa: 'avx2' });
conformance('norm', 'cpu', { isa: 'avx512' });
