import { describe, expect, it } from 'vitest';
import { sigmaSchedule } from '../../src/sampling/schedule.ts';
import { type UniPcVariant, unipcCoefficients } from '../../src/sampling/unipc-coefficients.ts';
import { expectClose } from './expect-close.ts';
import { GOLDEN_RUNS, TOY_START, toyPrediction } from './toy-denoiser.ts';

/** The sampler over plain numbers: what `unipc.ts` does over tensors. Returns x0 and every corrected sample. */
function solve(numSteps: number, variant: UniPcVariant): { x0: number[]; samples: number[][] } {
  const sigmas = [...sigmaSchedule(numSteps, Math.log(7))];
  const order = Math.min(3, numSteps - 1);
  let x = TOY_START;
  let predictions = [x.map((value) => toyPrediction(value, sigmas[0]!))];
  const samples: number[][] = [];
  for (let i = 1; i < numSteps; i++) {
    const used = Math.min(i, order);
    const levels = Array.from({ length: used }, (_, k) => sigmas[i - 1 - k]!);
    const c = unipcCoefficients(levels, sigmas[i]!, variant);
    const [m0, ...older] = predictions as [number[], ...number[][]];
    const base = x.map((value, e) => c.sample * value + c.prediction * m0[e]!);
    const correct = (weights: readonly number[], from: number[]) =>
      from.map((value, e) =>
        weights.reduce((sum, weight, k) => sum + weight * (older[k]![e]! - m0[e]!), value),
      );
    const newest = correct(c.predictor, base).map((value) => toyPrediction(value, sigmas[i]!));
    x = correct(c.corrector, base).map((v, e) => v + c.correctorNew * (newest[e]! - m0[e]!));
    samples.push(x);
    predictions = [newest, ...predictions].slice(0, order);
  }
  return { x0: predictions[0]!, samples };
}

describe('unipcCoefficients', () => {
  it.each(GOLDEN_RUNS)('reproduces the golden run of $numSteps steps, $variant', (run) => {
    const { x0, samples } = solve(run.numSteps, run.variant);
    expectClose(x0, run.x0, 1e-6);
    for (const [i, golden] of run.samples.entries()) expectClose(samples[i]!, golden, 1e-6);
  });

  it('is exact for a prediction that is a polynomial of lambda of lower degree', () => {
    const levels = [0.5, 0.7, 0.8];
    const target = 0.3;
    // x(t) = (t / s) x(s) + t * integral of e^lambda m(lambda); with m = lambda the integral is known.
    const lambda = (sigma: number) => -Math.log(sigma);
    const exact = (x: number) =>
      (target / 0.5) * x + target * ((lambda(target) - 1) / target - (lambda(0.5) - 1) / 0.5);
    const c = unipcCoefficients(levels, target, 'bh2');
    const m = levels.map(lambda);
    const base = c.sample * 1.5 + c.prediction * m[0]!;
    const predicted = c.predictor.reduce((sum, w, k) => sum + w * (m[k + 1]! - m[0]!), base);
    const corrected =
      c.corrector.reduce((sum, w, k) => sum + w * (m[k + 1]! - m[0]!), base) +
      c.correctorNew * (lambda(target) - m[0]!);
    expect(predicted).toBeCloseTo(exact(1.5), 12);
    expect(corrected).toBeCloseTo(exact(1.5), 12);
  });

  it('leaves a constant prediction on the straight line to it', () => {
    const c = unipcCoefficients([0.8], 0.4, 'bh1');
    expect(c.sample).toBe(0.5);
    expect(c.prediction).toBeCloseTo(0.5, 15);
    expect(c.predictor).toEqual([]);
    expect(c.corrector).toEqual([]);
  });

  it.each([
    [[], 0.5],
    [[0.9, 0.95, 0.97, 0.99], 0.5],
    [[0.9], 0],
  ])('refuses levels %j with target %d', (levels, target) => {
    expect(() => unipcCoefficients(levels, target, 'bh1')).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
