import type { MemoryEstimate, MemoryPlan } from '../../../src/pipeline/events.ts';
import type { PlanFacts } from '../../../src/pipeline/progress/run-reporter.ts';
import { ALL_STAY } from '../../../src/pipeline/residency.ts';

/** A plan of one section of two steps, for reporters of their own. */
export const PLAN_FACTS: PlanFacts = {
  ...{ width: 128, height: 96, fps: 30, numFrames: 37, seconds: 37 / 30 },
  ...{ mode: 'i2v', seed: 1, numSections: 1, numSteps: 2 },
  device: { kind: 'cpu', ordinal: null, name: 'a processor' },
};

/** An estimate of nothing. */
export const NO_MEMORY: MemoryEstimate = {
  encodeBytes: 0,
  sampleBytes: 0,
  decodeBytes: 0,
  peakBytes: 0,
};

/** With room for everything. */
export const ROOM: MemoryPlan = { ...ALL_STAY, tiling: 'temporal', budgetBytes: null };
