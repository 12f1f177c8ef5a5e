import { describe, expect, it } from 'vitest';
import { WorkClock } from '../../../src/pipeline/progress/work-clock.ts';

/** A run of two sections of three steps; calls back after each piece of work. */
function work(clock: WorkClock, onProgress: () => void): void {
  clock.encoded();
  onProgress();
  for (const section of [0, 1]) {
    if (section > 0) clock.add('load', 30);
    for (let step = 0; step < 3; step++) {
      clock.add('step', 100);
      onProgress();
    }
    clock.add('decode', 1000);
    onProgress();
  }
}

describe('WorkClock', () => {
  it('estimates steps, decodes and writing; decodes by their share until one was seen', () => {
    const clock = new WorkClock({ numSections: 2, numSteps: 3 });
    const estimates: (number | null)[] = [clock.remainingMs];
    work(clock, () => estimates.push(clock.remainingMs));
    const write = 50;
    expect(estimates.map((ms) => ms && ms - write)).toEqual([
      ...[null, null],
      ...[500 + 400, 400 + 400, 300 + 400, 300 + 1000],
      ...[200 + 1000, 100 + 1000, 0 + 1000, 0],
    ]);
    clock.finish();
    expect(clock.remainingMs).toBe(0);
  });

  it('counts what happens between sections, such as loading weights again', () => {
    const clock = new WorkClock({ numSections: 3, numSteps: 1 });
    clock.add('step', 100);
    clock.add('decode', 100);
    clock.add('load', 7000);
    clock.add('step', 100);
    expect(clock.remainingMs).toBe(100 + 2 * 100 + 7000 + 75);
  });

  it('counts skipped steps as done, and not in the time of one', () => {
    const clock = new WorkClock({ numSections: 2, numSteps: 3 });
    clock.encoded();
    const before = clock.percent;
    clock.skipSteps(3);
    expect(clock.percent).toBeGreaterThan(before);
    expect(clock.remainingMs).toBeNull();
    clock.add('decode', 1000);
    clock.add('step', 100);
    expect(clock.remainingMs).toBe(2 * 100 + 1000 + 50);
  });

  it('counts writing by its share of a step until some of it was measured', () => {
    const clock = new WorkClock({ numSections: 1, numSteps: 1 });
    clock.encoded();
    clock.add('step', 100);
    clock.add('decode', 100);
    expect(clock.remainingMs).toBe(25);
    const before = clock.percent;
    clock.wrote(0.25, 300);
    expect(clock.remainingMs).toBe(900);
    expect(clock.percent).toBeGreaterThan(before);
    clock.wrote(0.75, 100);
    expect(clock.remainingMs).toBeCloseTo(400 / 3);
    expect(clock.percent).toBeLessThan(100);
  });

  it('never goes back, and is full at the end only', () => {
    const clock = new WorkClock({ numSections: 2, numSteps: 3 });
    const shares: number[] = [clock.percent];
    work(clock, () => shares.push(clock.percent));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBeLessThan(100);
    expect(shares.at(-1)).toBeGreaterThan(90);
    clock.finish();
    expect(clock.percent).toBe(100);
  });
});

describe('WorkClock of a run that goes on', () => {
  it('counts decodes that need not be done as done, and not as fast', () => {
    const clock = new WorkClock({ numSections: 2, numSteps: 3 });
    clock.encoded();
    clock.skipSteps(3);
    clock.skipDecode();
    const { percent } = clock;
    expect(percent).toBeGreaterThan(50);
    clock.add('step', 100);
    expect(clock.percent).toBeGreaterThan(percent);
    expect(clock.remainingMs).toBe(2 * 100 + 200 + 50);
  });
});
