import { largeOffsets } from '../large-offsets.ts';

largeOffsets('cuda');
