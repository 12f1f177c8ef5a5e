import { describe, expect, it } from 'vitest';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { rehearse } from '../../../src/pipeline/planning/rehearse.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

describe('rehearse', { timeout: 120_000 }, () => {
  it.each([
    ['i2v', { seconds: 3.6, steps: 3 }],
    ['f1', { seconds: 2.4, mode: 'f1', cfg: 2, steps: 1 }],
    ['tiles in bf16', { seconds: 1.2, dtype: 'bf16', tiling: 'full', steps: 2 }],
  ] as const)('takes exactly the memory of the run: %s', async (_, change) => {
    const request = { ...TINY_REQUEST, ...change };
    await using run = await openRun(request, () => {});
    const estimate = await rehearse(run, null);
    const done = (await collect(request)).at(-1);
    expect(done).toMatchObject({ type: 'done', peakBytes: estimate.peakBytes });
    const { encodeBytes, sampleBytes, decodeBytes, peakBytes } = estimate;
    expect(Math.max(encodeBytes, sampleBytes, decodeBytes)).toBe(peakBytes);
    expect(Math.min(encodeBytes, sampleBytes, decodeBytes)).toBeGreaterThan(1e6);
    expect(run.context.device.memory().peakBytes).toBe(0);
  });
});
