import type { UniPcVariant } from '../../src/sampling/unipc-coefficients.ts';

/** Start of the toy runs. */
export const TOY_START: number[] = [0.5, -1.25, 2];

/** A clean-sample prediction that depends on the sample and the noise level. */
export function toyPrediction(x: number, sigma: number): number {
  return Math.tanh(x) * (1 - sigma / 2) + 0.1;
}

/** What the official solver made of the toy prediction, shift 7: the result and, where known, the samples. */
export interface GoldenRun {
  readonly numSteps: number;
  readonly variant: UniPcVariant;
  readonly x0: readonly number[];
  readonly samples: readonly (readonly number[])[];
}

export const GOLDEN_RUNS: readonly GoldenRun[] = [
  { numSteps: 1, variant: 'bh1', x0: [0.3310586, -0.3241418, 0.5820138], samples: [] },
  {
    numSteps: 2,
    variant: 'bh1',
    x0: [0.3505083, -0.3570171, 0.6338755],
    samples: [[0.4801809, -1.1364626, 1.8262143]],
  },
  { numSteps: 3, variant: 'bh1', x0: [0.366358, -0.378327, 0.6714251], samples: [] },
  { numSteps: 3, variant: 'bh2', x0: [0.3662437, -0.3782319, 0.6713781], samples: [] },
  {
    numSteps: 4,
    variant: 'bh1',
    x0: [0.3781219, -0.390729, 0.698571],
    samples: [
      [0.4924915, -1.2082152, 1.9359969],
      [0.480197, -1.1365137, 1.8261933],
      [0.4573145, -0.9845795, 1.5948975],
    ],
  },
  { numSteps: 6, variant: 'bh1', x0: [0.3961719, -0.4025402, 0.7342109], samples: [] },
];
