import { conformance } from './conformance.ts';

conformance('patchify', 'cpu', { isa: 'avx2' });
conformance('patchify', 'cpu', { isa: 'avx512' });
