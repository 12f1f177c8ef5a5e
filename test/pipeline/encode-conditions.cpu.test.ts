import { describe, expect, it } from 'vitest';
import { TEMPORAL_TILING } from '../../src/models/vae/tiling.ts';
import { encodeImage, encodeText } from '../../src/pipeline/encode-conditions.ts';
import type { GenerateEvent } from '../../src/pipeline/events.ts';
import { openRun } from '../../src/pipeline/open-run.ts';
import { scope } from '../../src/tensor/scope.ts';
import { NO_MEMORY, ROOM } from './progress/plan-facts.ts';
import { TINY_REQUEST } from './tiny-request.ts';

describe('encodeText', () => {
  it('gives each prompt its own conditions and frees the encoders', async () => {
    await using run = await openRun(TINY_REQUEST, () => {});
    const { device } = run.context;
    await scope(async () => {
      const [one, empty] = await encodeText(run.context, ['A red ball.', '']);
      expect(one!.text.shape).toEqual([1, expect.any(Number), 128]);
      expect(one!.text.shape[1]!).toBeGreaterThan(empty!.text.shape[1]!);
      expect(empty!.text.shape[1]).toBe(1);
      expect(one!.pooled.shape).toEqual([1, 64]);
      expect(await one!.pooled.read()).not.toEqual(await empty!.pooled.read());
      expect(device.memory().liveTensors).toBe(4);
    });
  });

  it('cuts a prompt that is far too long, and warns for each encoder', async () => {
    const events: GenerateEvent[] = [];
    await using run = await openRun(TINY_REQUEST, (event) => events.push(event));
    run.context.reporter.plan(NO_MEMORY, ROOM);
    const [long] = await encodeText(run.context, ['ball '.repeat(2000)]);
    expect(long!.text.shape[1]).toBe(run.context.info.prompt.maxLength);
    const codes = events.filter(({ type }) => type === 'warning');
    expect(codes).toMatchObject([
      { code: 'WARN_PROMPT_CUT', message: expect.stringContaining('Llama') },
      { code: 'WARN_PROMPT_CUT', message: expect.stringContaining('CLIP') },
    ]);
  });
});

describe('encodeImage', () => {
  it('encodes the picture for both readers and frees the encoders', async () => {
    await using run = await openRun(TINY_REQUEST, () => {});
    const { image, startLatent } = await encodeImage(run.context, run.picture, TEMPORAL_TILING);
    expect(image.shape).toEqual([1, 16, 96]);
    expect(startLatent.shape).toEqual([1, 16, 1, 12, 16]);
    expect(run.context.device.memory().liveTensors).toBe(2);
  });
});
