import { describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { encodeImage, encodeText } from '../../../src/pipeline/encode-conditions.ts';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { finishRun } from '../../../src/pipeline/generate.ts';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { rehearse } from '../../../src/pipeline/planning/rehearse.ts';
import { ALL_STAY, type Placements } from '../../../src/pipeline/residency.ts';
import { sampleVideo } from '../../../src/pipeline/sample-video.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { WorkMeter, type WorkTally } from '../../../src/tensor/work/work-meter.ts';
import { tinyConfig, tinyWeights } from '../../models/tiny-framepack.ts';
import { NO_MEMORY, ROOM } from '../progress/plan-facts.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

describe('rehearse', { timeout: 120_000 }, () => {
  it.each([
    ['i2v', { seconds: 3.6, steps: 3 }],
    ['f1', { seconds: 2.4, mode: 'f1', cfg: 2, steps: 1 }],
    ['tiles in bf16', { seconds: 1.2, dtype: 'bf16', tiling: 'full', steps: 2 }],
  ] as const)('takes exactly the memory of the run: %s', async (_, change) => {
    const request = { ...TINY_REQUEST, ...change };
    await using run = await openRun(request, () => {});
    const estimate = await rehearse(run);
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
    const { stages } = await rehearse(run);
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
});

describe('rehearse under a plan', { timeout: 120_000 }, () => {
  it('weights that go or stream are read as often as they are loaded', async () => {
    const request = { ...TINY_REQUEST, seconds: 4.8, steps: 5 };
    await using run = await openRun(request, () => {});
    const placed = (placements: Placements) =>
      rehearse({ ...run, context: { ...run.context, placements } });
    const all = await rehearse(run);
    const turns = await placed({ ...ALL_STAY, transformer: 'goes', decoder: 'goes' });
    const streams = await placed(ALL_STREAM);
    const bytesOf = ({ stages }: typeof all) => stages.map(({ diskBytes }) => diskBytes);
    const once = bytesOf(all);
    expect(once.every((bytes) => bytes > 0)).toBe(true);
    expect(bytesOf(turns)).toEqual([...once.slice(0, 3), ...once.slice(3).map((b) => 4 * b)]);
    expect(turns.keptBytes).toBe(0);
    expect(all.keptBytes).toBe(all.stages.at(-1)!.weightBytes);
    expect(turns.stages[4]!.weightBytes).toBeLessThan(all.stages[4]!.weightBytes / 4);
    // Four sections of five steps read the blocks each time, what is around them once a section.
    const { numDoubleBlocks, numSingleBlocks } = parseDitConfig(tinyConfig('transformer'));
    const blocks = numDoubleBlocks + numSingleBlocks;
    const onceAround = once[3]! - (await bytesOfBlocks());
    expect(blocks).toBe(9);
    expect(bytesOf(streams)[3]).toBe(4 * (onceAround + 5 * (await bytesOfBlocks())));
    expect(streams.stages[3]!.weightBytes).toBeLessThan(all.stages[3]!.weightBytes / 2);
    expect(streams.sampleBytes).toBeLessThan(turns.sampleBytes);
    expect(streams.stages[0]!.peakBytes).toBeLessThan(turns.stages[0]!.peakBytes);
  });

  it.each(['all', 'some'])(
    'takes exactly the memory of the run when %s parts stream',
    async (which) => {
      const request = { ...TINY_REQUEST, seconds: 2.4 };
      const events: GenerateEvent[] = [];
      await using run = await openRun(request, (event) => events.push(event));
      const placements = { ...ALL_STREAM, numResident: which === 'all' ? 0 : 6 };
      const streamed = { ...run, context: { ...run.context, placements } };
      const { peakBytes } = await rehearse(streamed);
      const { device, reporter } = run.context;
      reporter.plan(NO_MEMORY, ROOM);
      device.resetPeak();
      await scope(async () => {
        const text = await encodeText(streamed.context, [request.prompt]);
        const image = await encodeImage(streamed.context, run.picture, run.tiling);
        await sampleVideo(streamed, { text, image });
      });
      expect(device.memory()).toMatchObject({ peakBytes, currentBytes: 0 });
      // Where weights are makes no difference to what comes out.
      const frames = events.flatMap((event) => (event.type === 'section' ? event.frames : []));
      const usual = await collect(request);
      expect(frames).toEqual(
        usual.flatMap((event) => (event.type === 'section' ? event.frames : [])),
      );
    },
  );
});

const ALL_STREAM: Placements = {
  ...{ textEncoder: 'streams', transformer: 'streams', numResident: 0, decoder: 'goes' },
};

/** What the blocks of the small transformer take in its file. */
async function bytesOfBlocks(): Promise<number> {
  await using device = Device.open('meta');
  return (await tinyWeights(device, 'transformer'))
    .entries()
    .filter(({ name }) => /^(single_)?transformer_blocks\./.test(name))
    .reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Operations by kind. */
function total(tallies: readonly WorkTally[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, { flops }] of tallies.flatMap((tally) => [...tally])) {
    sums.set(name, (sums.get(name) ?? 0) + flops);
  }
  return sums;
}
