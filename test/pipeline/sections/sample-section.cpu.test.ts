import { describe, expect, it } from 'vitest';
import { History } from '../../../src/framepack/history.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { encodeImage, encodeText } from '../../../src/pipeline/encode-conditions.ts';
import { openRun } from '../../../src/pipeline/open-run.ts';
import { networkConfig, networkWeights } from '../../../src/pipeline/run-context.ts';
import { sampleSection } from '../../../src/pipeline/sections/sample-section.ts';
import { sigmaSchedule } from '../../../src/sampling/schedule.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { TINY_REQUEST } from '../tiny-request.ts';

describe('sampleSection', { timeout: 60_000 }, () => {
  it('reports each step and owns only its result; guidance doubles the work of the cache', async () => {
    await using run = await openRun(TINY_REQUEST, () => {});
    const { context } = run;
    await scope(async () => {
      const image = await encodeImage(context, run.picture, run.tiling);
      const text = await encodeText(context, [TINY_REQUEST.prompt, '']);
      const weights = await networkWeights(context, 'transformer');
      const config = networkConfig(context, 'transformer', parseDitConfig);
      const dit = Dit.load(weights.scope(), config, 'f32');
      using history = new History({ start: image.startLatent, plan: run.plans[0]! });
      const noise = new Generator(1).randn(context.device, [1, 16, 9, 12, 16]);
      const settings = {
        sigmas: sigmaSchedule(4, Math.log(2)),
        cfg: 2,
        guidance: 10,
        guidanceRescale: 0,
        stepCache: { kind: 'tea' as const, threshold: 10 },
      };
      const before = context.device.memory().liveTensors;
      const inputs = { plan: run.plans[0]!, history, text, image, noise, settings };
      const steps: (readonly [number, boolean])[] = [];
      const latents = await sampleSection(dit, inputs, {
        dtype: 'f32',
        onStep: ({ stepIndex, isCached }) => {
          steps.push([stepIndex, isCached]);
        },
      });
      expect(latents.shape).toEqual(noise.shape);
      expect(steps).toEqual([
        [0, false],
        [1, true],
        [2, true],
        [3, false],
      ]);
      expect(context.device.memory().liveTensors).toBe(before + 1);
    });
  });
});
