import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/pipeline/open-run.ts';
import { TINY_REQUEST } from './tiny-request.ts';

describe('openRun', () => {
  it('plans the sections and fits the picture to the checkpoint', async () => {
    await using run = await openRun({ ...TINY_REQUEST, seconds: 4.8 }, () => {});
    expect(run.plans.map((plan) => plan.gapFrames)).toEqual([27, 18, 9, 0]);
    expect(run.picture).toMatchObject({ width: 128, height: 96 });
    expect(run.context).toMatchObject({ dtype: 'f32', observer: undefined });
    expect(run.tiling.spatial).toBeNull();
    expect(run.preview).toBeNull();
  });

  it('closes its device when it is done', async () => {
    const run = await openRun({ ...TINY_REQUEST, tiling: 'full' }, () => {});
    expect(run.tiling.spatial).not.toBeNull();
    await run[Symbol.asyncDispose]();
    const { Generator } = await import('../../src/tensor/generator.ts');
    expect(() => new Generator(1).randn(run.context.device, [16])).toThrow();
  });
});
