import { cudaConformance } from '../conformance.ts';

cudaConformance();
