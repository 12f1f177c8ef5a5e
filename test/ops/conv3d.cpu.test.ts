import { conformance } from './conformance.ts';

conformance('conv3d', 'cpu', { isa: 'avx2' });
conformance('conv3d', 'cpu', { isa: 'avx512' });
