import { describe, expect, it } from 'vitest';
import { EtaClock } from '../../../src/pipeline/progress/eta-clock.ts';

describe('EtaClock', () => {
  it('extrapolates steps, and decodes once one was seen', () => {
    const clock = new EtaClock({ numSections: 2, numSteps: 3 });
    expect(clock.remainingMs()).toBeNull();
    clock.addStep(100);
    expect(clock.remainingMs()).toBe(500);
    clock.addStep(200);
    clock.addStep(150);
    expect(clock.remainingMs()).toBe(450);
    clock.addDecode(1000);
    expect(clock.remainingMs()).toBe(1450);
    for (let step = 0; step < 3; step++) clock.addStep(150);
    clock.addDecode(1000);
    expect(clock.remainingMs()).toBe(0);
  });
});
