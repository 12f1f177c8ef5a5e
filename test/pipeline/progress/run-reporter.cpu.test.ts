import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { RunReporter } from '../../../src/pipeline/progress/run-reporter.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty } from '../../../src/tensor/tensor.ts';
import { NO_MEMORY, PLAN_FACTS, ROOM } from './plan-facts.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('meta');
});
afterEach(() => device.close());

describe('RunReporter', () => {
  it('adds time, progress, memory and an estimate to what it is told', () => {
    const events: GenerateEvent[] = [];
    const reporter = new RunReporter(device, PLAN_FACTS, (event) => events.push(event));
    using _ = empty(device, [1024], 'f32');
    reporter.plan(NO_MEMORY, ROOM);
    reporter.load('transformer');
    reporter.sectionStage('sample', 0);
    reporter.step({ section: 0, stepIndex: 0, sigma: 1, isCached: false, preview: null });
    const section = { section: 0, numFrames: 37, firstFrame: 0, frames: [], isResumed: false };
    reporter.section(section, true);
    reporter.startWriting(100);
    for (let frame = 0; frame < 12; frame++) reporter.wrote(frame);
    reporter.done(null);
    expect(events).toMatchObject([
      { type: 'plan', ...PLAN_FACTS, percent: 0, etaMs: null },
      { type: 'stage', stage: 'load', part: 'transformer' },
      { type: 'stage', stage: 'sample', section: 0, numSections: 1 },
      { type: 'step', step: 1, numSteps: 2, numSections: 1, memory: { currentBytes: 4096 } },
      { type: 'section', numFrames: 37, numSections: 1 },
      { type: 'stage', stage: 'write' },
      { type: 'write', numWritten: 5, numFrames: 100 },
      { type: 'write', numWritten: 10, numFrames: 100 },
      { type: 'done', width: 128, seed: 1, peakBytes: 4096, percent: 100, etaMs: 0 },
    ]);
    for (const name of ['elapsedMs', 'percent'] as const) {
      const values = events.map((event) => event[name]);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  it('warns of one thing once, behind the plan', () => {
    const events: GenerateEvent[] = [];
    const reporter = new RunReporter(device, PLAN_FACTS, (event) => events.push(event));
    reporter.warn('WARN_PROMPT_CUT', 'cut');
    reporter.warn('WARN_PROMPT_CUT', 'cut');
    reporter.plan(NO_MEMORY, ROOM);
    reporter.warn('WARN_PROMPT_CUT', 'cut');
    reporter.warn('WARN_PROMPT_CUT', 'another one cut');
    expect(events).toMatchObject([
      { type: 'plan' },
      { message: 'cut' },
      { message: 'another one cut' },
    ]);
  });
});
