import { describe, expect, it } from 'vitest';
import type { FramePackError } from '../../../src/errors.ts';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { planMemory } from '../../../src/pipeline/planning/plan-memory.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
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
    const { peakBytes } = await plan({});
    expect((await plan({ budgetBytes: peakBytes })).peakBytes).toBeLessThanOrEqual(peakBytes);
    const message = /--max-memory \d+MiB$/;
    await expect(plan({ budgetBytes: 2 ** 24 })).rejects.toThrow(message);
  });
});
