import type { Moment, PlanEvent } from '../../../src/pipeline/events.ts';

/** A plan of one section of two steps, for reporters of their own. */
export const PLAN_FACTS: Omit<PlanEvent, 'type' | keyof Moment> = {
  ...{ width: 128, height: 96, fps: 30, numFrames: 37, seconds: 37 / 30 },
  ...{ mode: 'i2v', seed: 1, numSections: 1, numSteps: 2 },
};
