import { describe, expect, test } from 'vitest';
import {
  interpolateRatios,
  MAG_CACHE_RULES,
  MagSchedule,
} from '../../../src/sampling/step-cache/mag-schedule.ts';
import decisions from '../../fixtures/golden/caches/decisions.json' with { type: 'json' };

describe.each(decisions.magCache)('$name', ({ rules, interpolated, ...settings }) => {
  test('ratios are interpolated alike', () => {
    expect(interpolateRatios(settings.ratios, settings.numSteps)).toEqual(interpolated);
  });

  test.each(['musubi', 'studio', 'diffusers'] as const)('%s decides alike', (name) => {
    const schedule = new MagSchedule({ ...settings, rule: MAG_CACHE_RULES[name] });
    const expected = rules[name];
    for (let step = 0; step < settings.numSteps; step++) {
      expect(schedule.skips(step), `step ${step}`).toBe(expected.skipped.includes(step));
      const { error, ratio, numSkips } = schedule.accumulated;
      expect(error).toBeCloseTo(expected.error[step]!, 5);
      expect(ratio).toBeCloseTo(expected.ratio[step]!, 5);
      expect(numSkips).toBe(expected.numSkips[step]);
    }
  });
});
