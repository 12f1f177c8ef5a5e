import { expect, test } from 'vitest';
import { FirstBlockCache } from '../../../src/sampling/step-cache/first-block-cache.ts';
import { MagCache } from '../../../src/sampling/step-cache/mag-cache.ts';
import { openStepCache } from '../../../src/sampling/step-cache/open-step-cache.ts';
import { TeaCache } from '../../../src/sampling/step-cache/tea-cache.ts';

const run = { numSteps: 10, ratios: [1, 1] };

test.each([
  ['tea', TeaCache],
  ['mag', MagCache],
  ['first-block', FirstBlockCache],
] as const)('%s', (kind, type) => {
  expect(openStepCache({ kind, threshold: 0.1 }, run)).toBeInstanceOf(type);
});

test('mag needs a checkpoint that was calibrated', () => {
  expect(() => openStepCache({ kind: 'mag', threshold: 0.1 }, { ...run, ratios: null })).toThrow(
    expect.objectContaining({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('calibrate'),
    }),
  );
});
