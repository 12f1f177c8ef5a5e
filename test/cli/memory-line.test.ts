import { expect, test } from 'vitest';
import { memoryLine } from '../../src/cli/memory-line.ts';
import type { MemoryPlan } from '../../src/index.ts';

const GIB = 2 ** 30;
const ESTIMATE = { encodeBytes: 1, sampleBytes: 5.4 * GIB, decodeBytes: 2, peakBytes: 5.4 * GIB };
const ROOM: MemoryPlan = {
  ...{ textEncoder: 'goes', transformer: 'stays', numResident: 0, decoder: 'stays' },
  ...{ tiling: 'temporal', budgetBytes: null },
};

test.each<[Partial<MemoryPlan>, string]>([
  [{}, 'memory 5.40 GiB: transformer stays, text encoder goes, decoder stays'],
  [
    { transformer: 'streams', textEncoder: 'streams', decoder: 'goes', tiling: 'full' },
    'memory 5.40 GiB: transformer streams, text encoder streams, decoder goes, in tiles',
  ],
  [
    { transformer: 'streams', numResident: 10, budgetBytes: 5.5 * GIB },
    'memory 5.40 of 5.50 GiB: transformer streams but for 10 parts, text encoder goes, decoder stays',
  ],
])('%j', (change, line) => {
  expect(memoryLine(ESTIMATE, { ...ROOM, ...change })).toBe(line);
});
