import { describe, expect, it } from 'vitest';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { estimateRun } from '../../../src/pipeline/planning/run-estimate.ts';
import { TINY_REQUEST } from '../tiny-request.ts';

describe('estimateRun', { timeout: 60_000 }, () => {
  it('adds the file, in the quality that is asked for', async () => {
    await using run = await openRun(TINY_REQUEST, () => {});
    const options = { budgetBytes: null, device: 'cpu' } as const;
    const written = async (file: object) => {
      const { stages } = await estimateRun(run, options, file);
      return stages.at(-1)!;
    };
    const [none, fine, coarse] = [
      await written({}),
      await written({ out: 'a.mp4' }),
      await written({ out: 'a.mp4', crf: 27 }),
    ];
    expect([none.stage, none.diskBytes]).toEqual(['write', 0]);
    const waiting = run.plan.numFrames * run.plan.width * run.plan.height * 3;
    // Eleven steps of quality are two halvings.
    expect((fine.diskBytes - waiting) / (coarse.diskBytes - waiting)).toBeCloseTo(4, 2);
    expect(fine.peakBytes).toBe(fine.weightBytes);
  });
});
