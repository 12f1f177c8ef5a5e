import { expect, test } from 'vitest';
import { calibrateStepCache } from '../../../src/pipeline/inspection/calibrate-step-cache.ts';
import { TINY_REQUEST } from '../tiny-request.ts';

test('gives one ratio for each step; the first is 1, the others near it', async () => {
  const stages: string[] = [];
  const ratios = await calibrateStepCache({ ...TINY_REQUEST, steps: 4 }, (event) => {
    stages.push(event.type);
  });
  expect(ratios).toHaveLength(4);
  expect(ratios[0]).toBe(1);
  for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.5);
  expect(stages.at(-1)).toBe('done');
});
