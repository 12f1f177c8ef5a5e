import { expect, it } from 'vitest';
import { openRun } from '../../../src/pipeline/open-run.ts';
import type { Placements } from '../../../src/pipeline/residency.ts';
import { transformer, videoDecoder } from '../../../src/pipeline/sections/networks.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { TINY_REQUEST } from '../tiny-request.ts';

it('loads of a transformer that streams what is to stay, and of others everything', async () => {
  await using run = await openRun(TINY_REQUEST, () => {});
  const { context } = run;
  const loadedBytes = (placements: Partial<Placements>): Promise<number> =>
    scope(async () => {
      const placed = { ...context.placements, ...placements };
      await transformer({ ...context, placements: placed }).load();
      return context.device.memory().currentBytes;
    });
  const all = await loadedBytes({});
  expect(await loadedBytes({ transformer: 'goes', numResident: 3 })).toBe(all);
  const streamed: number[] = [];
  for (const numResident of [0, 3, 18]) {
    streamed.push(await loadedBytes({ transformer: 'streams', numResident }));
  }
  const [none, some, every] = streamed as [number, number, number];
  expect(none).toBeLessThan(some);
  expect(some).toBeLessThan(every);
  expect(every).toBe(all);
});

it('knows what weights take', async () => {
  await using run = await openRun(TINY_REQUEST, () => {});
  for (const network of [transformer(run.context), videoDecoder(run.context)]) {
    await scope(async () => {
      const before = run.context.device.memory().currentBytes;
      await network.load();
      const taken = run.context.device.memory().currentBytes - before;
      expect(taken).toBeGreaterThan(0);
      expect(network.weightBytes).toBeGreaterThan(0.4 * taken);
    });
  }
});
