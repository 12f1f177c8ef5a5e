import { describe, expect, it } from 'vitest';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { load, type Model } from '../../../src/pipeline/model/model.ts';
import type { LoadOptions, VideoRequest } from '../../../src/pipeline/request.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { framesOf, collect as generateAlone, TINY_REQUEST } from '../tiny-request.ts';

const { model: _, ...VIDEO } = { ...TINY_REQUEST, steps: 1 };

async function run(model: Model, change: VideoRequest | object = {}): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of model.generate({ ...VIDEO, ...change })) events.push(event);
  return events;
}

function pixels(events: readonly GenerateEvent[]): Buffer {
  return Buffer.concat(framesOf(events));
}

describe('load', { timeout: 120_000 }, () => {
  it('keeps one copy of the weights for all videos, which are those of generate()', async () => {
    await using model = await load({ model: TINY_MODEL });
    const alone = pixels(await generateAlone({ ...TINY_REQUEST, steps: 1 }));
    const first = await run(model);
    expect(pixels(first).equals(alone)).toBe(true);
    const second = await run(model);
    expect(pixels(second).equals(alone)).toBe(true);
    const loads = (events: readonly GenerateEvent[]): string[] =>
      events.flatMap((event) =>
        event.type === 'stage' && event.stage === 'load' ? event.part : [],
      );
    expect(loads(first).slice(-2)).toEqual(['transformer', 'vae']);
    expect(loads(second)).not.toContain('transformer');
  });

  it('queues jobs in the order in which they start', async () => {
    await using model = await load({ model: TINY_MODEL });
    const log: string[] = [];
    const job = async (name: string): Promise<void> => {
      for await (const { type } of model.generate(VIDEO)) {
        if (type === 'plan' || type === 'done') log.push(`${name} ${type}`);
      }
    };
    await Promise.all([job('a'), job('b')]);
    expect(log).toEqual(['a plan', 'a done', 'b plan', 'b done']);
  });

  it('goes on after a job that fails or is left', async () => {
    await using model = await load({ model: TINY_MODEL });
    await expect(run(model, { image: 'none.png' })).rejects.toMatchObject({ code: 'ERR_IMAGE' });
    for await (const event of model.generate({ ...VIDEO, steps: 50 })) {
      if (event.type === 'step') break;
    }
    expect((await run(model)).at(-1)?.type).toBe('done');
  });

  it('estimates a video, and takes as much, under a budget with what another one has left', async () => {
    await using free = await load({ model: TINY_MODEL });
    const { peakBytes: budgetBytes } = await free.estimate(VIDEO);
    await using model = await load({ model: TINY_MODEL, budgetBytes });
    for (let video = 0; video < 2; video++) {
      const estimate = await model.estimate({ ...VIDEO, out: 'never/written.mp4' });
      expect(estimate.peakBytes).toBeLessThanOrEqual(budgetBytes);
      const events = await run(model);
      const { encodeBytes, sampleBytes, decodeBytes, peakBytes } = estimate;
      const memory = { encodeBytes, sampleBytes, decodeBytes, peakBytes };
      expect(events[0]).toMatchObject({ type: 'plan', estimate: memory });
      expect(events.at(-1)).toMatchObject({ type: 'done', peakBytes: estimate.peakBytes });
    }
  });

  it('gives frames as they become final', async () => {
    await using model = await load({ model: TINY_MODEL });
    const places: number[] = [];
    for await (const { firstFrame, frames } of model.frames({ ...VIDEO, seconds: 2.4 })) {
      places.push(firstFrame, frames.length);
    }
    expect(places).toEqual([73 - places[1]!, places[1], 0, 73 - places[1]!]);
  });
});

describe('a model', { timeout: 120_000 }, () => {
  it('names fields that belong to load or to nobody', async () => {
    await expect(load({ modle: TINY_MODEL } as unknown as LoadOptions)).rejects.toThrow(
      'load: request expected only known fields, got "modle"; did you mean "model"?',
    );
    await using model = await load({ model: TINY_MODEL });
    await expect(run(model, { device: 'cpu' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('got "device"'),
    });
  });

  it('stops its jobs when it is closed, and takes no more', async () => {
    const model = await load({ model: TINY_MODEL });
    const running = run(model, { steps: 50 });
    const waiting = run(model);
    const closing = model.close();
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await closing;
    await model.close();
    await expect(run(model)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(model.estimate(VIDEO)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});
