import { describe, expect, it } from 'vitest';
import { finishRun } from '../../../src/pipeline/generate.ts';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { rehearse } from '../../../src/pipeline/planning/rehearse.ts';
import { WorkMeter, type WorkTally } from '../../../src/tensor/work/work-meter.ts';
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

  it.each([
    ['more sections and steps than are rehearsed', { seconds: 4.8, steps: 5 }],
    ['guidance, one section', { seconds: 1.2, steps: 2, cfg: 2, mode: 'f1' }],
  ] as const)('counts the work of the run: %s', async (_, change) => {
    await using run = await openRun({ ...TINY_REQUEST, ...change }, () => {});
    const { stages } = await rehearse(run, null);
    const meter = WorkMeter.of(run.context.device);
    await finishRun(run);
    const counted = total([meter.take()]);
    const rehearsed = total(stages.map(({ tally }) => tally));
    expect([...rehearsed.keys()].toSorted()).toEqual([...counted.keys()].toSorted());
    for (const [name, flops] of counted) {
      // Values are not looked at on meta, and the sampler's own arithmetic differs a little from step to step.
      const tolerance = name === 'memory f32' ? 5e-3 : 1e-9;
      expect(Math.abs(rehearsed.get(name)! / flops - 1), name).toBeLessThan(tolerance);
    }
  });

  it('under a budget weights are read as often as they are loaded', async () => {
    const request = { ...TINY_REQUEST, seconds: 4.8 };
    await using run = await openRun(request, () => {});
    const [all, little] = [await rehearse(run, null), await rehearse(run, 2 ** 20)];
    const bytesOf = ({ stages }: typeof all) => stages.map(({ diskBytes }) => diskBytes);
    const once = bytesOf(all);
    expect(once.every((bytes) => bytes > 0)).toBe(true);
    expect(bytesOf(little)).toEqual([...once.slice(0, 3), ...once.slice(3).map((b) => 4 * b)]);
    expect(little.keptBytes).toBe(0);
    expect(all.keptBytes).toBe(all.stages.at(-1)!.weightBytes);
    expect(little.stages[4]!.weightBytes).toBeLessThan(all.stages[4]!.weightBytes / 4);
  });
});

/** Operations by kind. */
function total(tallies: readonly WorkTally[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, { flops }] of tallies.flatMap((tally) => [...tally])) {
    sums.set(name, (sums.get(name) ?? 0) + flops);
  }
  return sums;
}
