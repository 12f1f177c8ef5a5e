import { describe, expect, test } from 'vitest';
import { EventLoopWatch, interleave, type Sampler } from '../../../bench/harness/measure.ts';

/** Samplers that note when it is their turn and return how often it was. */
function noting(...names: string[]): { turns: string[]; samplers: Map<string, Sampler> } {
  const turns: string[] = [];
  const samplers = new Map(
    names.map((name): [string, Sampler] => [
      name,
      async () => {
        turns.push(name);
        return turns.filter((turn) => turn === name).length;
      },
    ]),
  );
  return { turns, samplers };
}

describe('interleave', () => {
  test('warms up once, then takes turns, every second round backwards', async () => {
    const { turns, samplers } = noting('a', 'b');
    await interleave(samplers, { samples: 3, seconds: 1000 });
    expect(turns.join('')).toBe('ab' + 'ab' + 'ba' + 'ab');
  });

  test('drops the warm-up', async () => {
    const { samplers } = noting('a', 'b');
    const results = await interleave(samplers, { samples: 2, seconds: 1000 });
    expect(results.get('a')).toEqual([2, 3]);
    expect(results.get('b')).toEqual([2, 3]);
  });

  test('takes a handful of samples when there is no time', async () => {
    const { samplers } = noting('a');
    const results = await interleave(samplers, { samples: 100, seconds: 0 });
    expect(results.get('a')).toHaveLength(5);
  });

  test('hands on what a sampler throws', async () => {
    const samplers = new Map([['a', () => Promise.reject(new Error('broken'))]]);
    await expect(interleave(samplers, { samples: 1, seconds: 1 })).rejects.toThrow('broken');
  });
});

test('EventLoopWatch sees a loop that stands still', () => {
  const watch = new EventLoopWatch();
  const end = performance.now() + 20;
  while (performance.now() < end);
  expect(watch.stop()).toBeGreaterThanOrEqual(19);
});
