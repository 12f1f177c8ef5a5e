import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { RunReporter } from '../../../src/pipeline/progress/run-reporter.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('meta');
});
afterEach(() => device.close());

describe('RunReporter', () => {
  it('adds time, memory and an estimate to what it is told', () => {
    const events: GenerateEvent[] = [];
    const plan = { numSections: 1, numSteps: 2 };
    const reporter = new RunReporter(device, plan, (event) => events.push(event));
    using _ = empty(device, [1024], 'f32');
    reporter.stage('sample', 0);
    reporter.step({ section: 0, stepIndex: 0, sigma: 1, isCached: false, preview: undefined });
    reporter.section(0, 37);
    expect(events).toMatchObject([
      { type: 'stage', stage: 'sample', section: 0 },
      { type: 'step', step: 1, numSteps: 2, numSections: 1, memory: { currentBytes: 4096 } },
      { type: 'section', numFrames: 37 },
    ]);
    expect(events[1]).not.toHaveProperty('preview');
    const times = events.map((event) => event.elapsedMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
