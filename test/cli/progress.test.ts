import { afterEach, describe, expect, it, vi } from 'vitest';
import { JsonReporter, TerminalReporter } from '../../src/cli/progress.ts';
import type { DoneEvent, GenerateEvent, StepEvent } from '../../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const DONE: DoneEvent = {
  type: 'done',
  file: 'a.mp4',
  frames: [new Uint8Array(3), new Uint8Array(3)],
  width: 1,
  height: 1,
  fps: 30,
  seed: 7,
  peakBytes: 2 ** 20,
  elapsedMs: 1234,
};

const STEP: StepEvent = {
  type: 'step',
  section: 0,
  numSections: 2,
  step: 1,
  numSteps: 5,
  sigma: 1,
  isCached: false,
  elapsedMs: 500,
  etaMs: 3000,
  memory: { currentBytes: 0, peakBytes: 2 ** 21 },
};

function lines(use: () => void): { out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
  use();
  return { out, err };
}

describe('JsonReporter', () => {
  it('prints events without pictures', () => {
    const { out } = lines(() => new JsonReporter().event(DONE));
    expect(JSON.parse(out[0]!)).toMatchObject({ type: 'done', file: 'a.mp4', seed: 7 });
    expect(out[0]).not.toContain('frames');
  });
});

describe('TerminalReporter', () => {
  it('prints stages, sections and the end away from a terminal, the path alone on stdout', () => {
    const events: GenerateEvent[] = [
      { type: 'stage', stage: 'encode-text', elapsedMs: 10 },
      ...[1, 2, 3, 4, 5].map((step) => ({ ...STEP, step })),
      { type: 'section', section: 0, numSections: 2, numFrames: 33, elapsedMs: 1000 },
      DONE,
    ];
    const { out, err } = lines(() => {
      const reporter = new TerminalReporter();
      for (const event of events) reporter.event(event);
      reporter.stop();
    });
    expect(out).toEqual(['a.mp4']);
    expect(err).toEqual([
      '   0.0 s encode-text',
      '   0.5 s section 1/2 step 2/5 | eta 3.0 s | peak 2 MiB',
      '   0.5 s section 1/2 step 4/5 | eta 3.0 s | peak 2 MiB',
      '   0.5 s section 1/2 step 5/5 | eta 3.0 s | peak 2 MiB',
      '   1.0 s section 1/2, 33 frames',
      '   1.2 s done: 2 frames (0.1 s), seed 7, peak 1 MiB',
    ]);
  });
});
