import { describe, expect, it } from 'vitest';
import { encodeImage, encodeText } from '../../src/pipeline/encode-conditions.ts';
import { openRun } from '../../src/pipeline/open-run.ts';
import { sampleVideo } from '../../src/pipeline/sample-video.ts';
import { scope } from '../../src/tensor/scope.ts';
import { TINY_REQUEST } from './tiny-request.ts';

describe('sampleVideo', { timeout: 60_000 }, () => {
  it('frees everything but the conditions it was given and the networks that stay', async () => {
    const frames: Uint8Array[] = [];
    await using run = await openRun({ ...TINY_REQUEST, seconds: 2.4, steps: 1 }, (event) => {
      if (event.type === 'section') frames.push(...event.frames);
    });
    const { device } = run.context;
    const conditions = {
      text: await encodeText(run.context, [TINY_REQUEST.prompt]),
      image: await encodeImage(run.context, run.picture, run.tiling),
    };
    const before = device.memory().liveTensors;
    await scope(() => sampleVideo(run, conditions));
    expect(frames).toHaveLength(73);
    expect(new Set(frames.map((frame) => frame.length))).toEqual(new Set([128 * 96 * 3]));
    await run.context.residency.release();
    expect(device.memory().liveTensors).toBe(before);
  });
});
