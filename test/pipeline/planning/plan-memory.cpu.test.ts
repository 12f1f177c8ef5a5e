import { describe, expect, it } from 'vitest';
import type { FramePackError } from '../../../src/errors.ts';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { planMemory } from '../../../src/pipeline/planning/plan-memory.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
import { ALL_STAY } from '../../../src/pipeline/residency.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

async function plan(change: Partial<GenerateRequest>): ReturnType<typeof planMemory> {
  await using run = await openRun({ ...TINY_REQUEST, ...change }, () => {});
  return planMemory(run);
}

describe('planMemory', { timeout: 120_000 }, () => {
  it('refuses a budget that does not suffice before any work, and what it advises suffices', async () => {
    const events: string[] = [];
    const run = async (budgetBytes: number): Promise<void> => {
      for (const event of await collect({ ...TINY_REQUEST, budgetBytes, steps: 1 })) {
        events.push(event.type);
      }
    };
    const failure = await run(2 ** 26).catch((error: FramePackError) => error);
    expect(failure).toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^generate: budgetBytes expected at least \d+ MiB .*, got 64 MiB: decoding .*--max-memory \d+MiB/,
      ),
      details: { budgetBytes: 2 ** 26, neededBytes: expect.any(Number) },
    });
    expect(events).toEqual([]);
    await run((failure as FramePackError).details.neededBytes as number);
    expect(events.at(-1)).toBe('done');
  });

  it('advises tiles only where they would fit', async () => {
    const { rehearsal } = await plan({});
    const budgetBytes = rehearsal.peakBytes;
    expect((await plan({ budgetBytes })).rehearsal.peakBytes).toBeLessThanOrEqual(budgetBytes);
    const message = /--max-memory \d+MiB$/;
    await expect(plan({ budgetBytes: 2 ** 24, tiling: 'temporal' })).rejects.toThrow(message);
  });

  it('says how a run keeps to its budget, in the order of what it costs', async () => {
    const free = await plan({});
    expect(free.memory).toEqual({ ...ALL_STAY, tiling: 'temporal', budgetBytes: null });
    const least = await smallestBudget();
    const plans: string[] = [];
    const { peakBytes } = free.rehearsal;
    for (const share of [1, 0.98, 0.8, 0.6, 0.4, 0.2, 0]) {
      const budgetBytes = Math.ceil(least + share * (peakBytes - least));
      const { memory, rehearsal } = await plan({ budgetBytes });
      expect(rehearsal.peakBytes).toBeLessThanOrEqual(budgetBytes);
      const { transformer, decoder, tiling } = memory;
      const found = `${transformer} ${decoder} ${tiling}`;
      if (plans.at(-1) !== found) plans.push(found);
    }
    expect(plans[0]).toBe('stays stays temporal');
    expect(plans).toContain('goes goes temporal');
    expect(new Set(plans).size).toBe(plans.length);
  });
});

/** What a budget has to be at least. */
async function smallestBudget(): Promise<number> {
  const failure = await plan({ budgetBytes: 2 ** 20 }).catch((error: FramePackError) => error);
  return (failure as FramePackError).details.neededBytes as number;
}
