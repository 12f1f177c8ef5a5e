import { describe, expect, it } from 'vitest';
import type { DoneEvent, GenerateEvent } from '../../../src/pipeline/events.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
import { collect, framesOf, TINY_REQUEST } from '../tiny-request.ts';

type Change = Partial<GenerateRequest>;

async function run(change: Change): Promise<{ events: GenerateEvent[]; frames: Uint8Array }> {
  const events = await collect({ ...TINY_REQUEST, ...change });
  return { events, frames: Buffer.concat(framesOf(events)) };
}

const warningsOf = (events: readonly GenerateEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));

describe('generate with a schedule', { timeout: 120_000 }, () => {
  it('gives the video of a mode with another window by its notation too', async () => {
    const first = await run({ latentWindowSize: 3, seconds: 0.8, steps: 1 });
    const second = await run({ schedule: 'f1k1_x_g3_f1k1f2k2f16k4_td', seconds: 0.8, steps: 1 });
    expect(second.frames).toEqual(first.frames);
    expect(warningsOf(second.events)).toEqual(warningsOf(first.events));
  });

  it.each<[string, number, number, number]>([
    ['geometric', 1.2, 1, 37],
    ['td_f16k16f8k8f4k4f2k2f1k1_g3', 0.8, 2, 25],
    ['f1k1f2k2f4k4_x_f4k4f2k2f1k1_g3', 0.8, 2, 25],
    ['f1k1_x_g2_f1k1f3k2f5k1h4w2', 0.8, 3, 25],
    ['g1_f1k1f4k3h6w8', 0.4, 3, 13],
  ])('runs %s for %s s', async (schedule, seconds, numSections, numFrames) => {
    const { events, frames } = await run({ schedule, seconds, steps: 1 });
    expect(events[0]).toMatchObject({ type: 'plan', numSections, numFrames });
    expect(frames).toHaveLength(numFrames * 128 * 96 * 3);
    expect(warningsOf(events)).toEqual(['WARN_UNTRAINED_SCHEDULE']);
    // What was planned in advance is what happened.
    expect(events[0]).toHaveProperty('estimate.peakBytes', (events.at(-1) as DoneEvent).peakBytes);
  });

  it('sees the frames of the schedule: other context is another video', async () => {
    const videos: string[] = [];
    for (const context of ['f1k1', 'f1k1f1k8', 'f8k8f1k1', 'f1k1h8w16f1k1']) {
      const { frames } = await run({ schedule: `${context}_g1`, seconds: 0.1, steps: 1 });
      videos.push(Buffer.from(frames).toString('base64'));
    }
    expect(new Set(videos).size).toBe(videos.length);
  });
});

describe('generate with a flow shift', { timeout: 120_000 }, () => {
  const levelsOf = async (change: Change): Promise<number[]> => {
    const { events } = await run({ steps: 4, ...change });
    return events.flatMap((event) => (event.type === 'step' ? [event.sigma] : []));
  };

  it('takes its noise levels from it', async () => {
    expect(await levelsOf({ flowShift: 1 })).toEqual([1, 0.75, 0.5, 0.25]);
    const expected = [1, 9 / 10, 3 / 4, 1 / 2];
    for (const [index, sigma] of (await levelsOf({ flowShift: 3 })).entries()) {
      expect(sigma).toBeCloseTo(expected[index]!, 6);
    }
    expect(await levelsOf({})).not.toEqual(await levelsOf({ flowShift: 3 }));
  });
});

describe('generate without a picture', { timeout: 120_000 }, () => {
  it('refuses a video that ends before its start has faded', async () => {
    const { image: _, ...blank } = TINY_REQUEST;
    const request = { ...blank, schedule: 'f1k1_g1', seconds: 0.1 };
    await expect(collect(request)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/^generate: seconds expected at least 0\.6 .* got 0\.1$/),
    });
    const events = await collect({ ...request, seconds: 0.6, steps: 1 });
    expect(framesOf(events).length).toBeGreaterThan(0);
  });
});
