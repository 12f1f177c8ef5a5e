import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  JsonReporter,
  QuietReporter,
  reporterFor,
  TerminalReporter,
} from '../../src/cli/progress.ts';
import type {
  DoneEvent,
  GenerateEvent,
  MemoryPlan,
  PlanEvent,
  StepEvent,
} from '../../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const MOMENT = { elapsedMs: 500, percent: 10, etaMs: 3000 };

const DONE: DoneEvent = {
  ...MOMENT,
  type: 'done',
  file: 'a.mp4',
  numFrames: 2,
  width: 1,
  height: 1,
  fps: 30,
  seed: 7,
  peakBytes: 2 ** 20,
  elapsedMs: 1234,
};

const STEP: StepEvent = {
  ...MOMENT,
  type: 'step',
  section: 0,
  numSections: 2,
  step: 1,
  numSteps: 5,
  sigma: 1,
  isCached: false,
  memory: { currentBytes: 0, peakBytes: 2 ** 21 },
  preview: null,
};

const ESTIMATE = { encodeBytes: 1, sampleBytes: 2, decodeBytes: 2 ** 23, peakBytes: 2 ** 23 };

const ROOM: MemoryPlan = {
  ...{ textEncoder: 'goes', transformer: 'stays', numResident: 0, decoder: 'stays' },
  ...{ tiling: 'temporal', budgetBytes: null },
};

const PLAN: PlanEvent = {
  ...{ type: 'plan', width: 640, height: 608, fps: 30, numFrames: 73, seconds: 73 / 30 },
  ...{ mode: 'f1', seed: 7, numSections: 2, numSteps: 5, estimate: ESTIMATE, memory: ROOM },
  device: { kind: 'cpu', ordinal: null, name: 'Imagined 9000', whyNoGpu: 'none is there' },
  ...MOMENT,
};

const LORA = {
  ...({ type: 'lora', scale: 0.5, sha256: 'a'.repeat(64) } as const),
  ...{ numMatched: 8, unmatched: [], ...MOMENT },
};

const FRAMES = { numFrames: 33, firstFrame: 0, frames: [new Uint8Array(3)] };

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

describe('QuietReporter', () => {
  it('prints warnings, and the path alone on stdout', () => {
    const { out, err } = lines(() => {
      const reporter = new QuietReporter();
      reporter.event(PLAN);
      reporter.event(STEP);
      reporter.event({ type: 'warning', code: 'WARN_PROMPT_CUT', message: 'cut', ...MOMENT });
      reporter.event({ ...DONE, file: null });
      reporter.event(DONE);
      reporter.stop();
    });
    expect({ out, err }).toEqual({ out: ['a.mp4'], err: ['warning: cut'] });
  });
});

it('flags choose the reporter', () => {
  expect(reporterFor({})).toBeInstanceOf(TerminalReporter);
  expect(reporterFor({ quiet: true })).toBeInstanceOf(QuietReporter);
  expect(reporterFor({ json: true })).toBeInstanceOf(JsonReporter);
});

describe('TerminalReporter', () => {
  it('prints stages, sections and the end away from a terminal, the path alone on stdout', () => {
    const events: GenerateEvent[] = [
      PLAN,
      { type: 'warning', code: 'WARN_PROMPT_CUT', message: 'the prompt was cut', ...MOMENT },
      { ...LORA, file: 'a.safetensors' },
      { ...LORA, file: 'b.safetensors', unmatched: ['x', 'y'] },
      { type: 'stage', stage: 'load', part: 'text_encoder', ...MOMENT },
      { type: 'stage', stage: 'encode-text', ...MOMENT },
      { type: 'stage', stage: 'sample', section: 0, numSections: 2, ...MOMENT },
      ...[1, 2, 3, 4, 5].map((step) => ({ ...STEP, step })),
      { type: 'section', section: 0, numSections: 2, isResumed: false, ...FRAMES, ...MOMENT },
      { type: 'stage', stage: 'write', ...MOMENT },
      { type: 'write', numWritten: 1, numFrames: 2, ...MOMENT },
      DONE,
    ];
    const { out, err } = lines(() => {
      const reporter = new TerminalReporter();
      for (const event of events) reporter.event(event);
      reporter.stop();
    });
    expect(out).toEqual(['a.mp4']);
    expect(err).toEqual([
      'device cpu (Imagined 9000); no GPU: none is there',
      '640 x 608, 73 frames (2.4 s), 2 sections of 5 steps, mode f1, seed 7',
      'warning: the prompt was cut',
      'lora a.safetensors at 0.5: 8 tensors matched',
      'lora b.safetensors at 0.5: 8 tensors matched, 2 not',
      '   0.5 s load text_encoder',
      '   0.5 s encode-text',
      '   0.5 s section 1/2 step 2/5 | eta 3.0 s | peak 2 MiB',
      '   0.5 s section 1/2 step 4/5 | eta 3.0 s | peak 2 MiB',
      '   0.5 s section 1/2 step 5/5 | eta 3.0 s | peak 2 MiB',
      '   0.5 s section 1/2, 33 frames',
      '   0.5 s write',
      '   1.2 s done: 2 frames (0.1 s), seed 7, peak 1 MiB',
    ]);
  });

  it('names the device first', () => {
    const firstLine = (device: PlanEvent['device']): string | undefined =>
      lines(() => new TerminalReporter().event({ ...PLAN, device })).err[0];
    expect(firstLine({ kind: 'cuda', ordinal: 1, name: 'RTX 1' })).toBe('device cuda:1 (RTX 1)');
    expect(firstLine({ kind: 'cpu', ordinal: null, name: 'CPU' })).toBe('device cpu (CPU)');
  });
});
