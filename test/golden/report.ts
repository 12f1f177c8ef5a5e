import type { FloatDType } from '../../src/tensor/dtype.ts';

/** How a value is compared. */
export type Metric = 'relative' | 'max-abs' | 'exact';

/** One compared value. */
export interface Comparison {
  readonly caseName: string;
  readonly value: string;
  readonly metric: Metric;
  readonly error: number;
  readonly gate: number;
}

/** Gates by compute dtype. bf16 has 8 bits of mantissa; the decoder multiplies its rounding by its depth. */
export const NETWORK_GATE: Readonly<Record<FloatDType, number>> = {
  f32: 1e-5,
  f16: 1e-2,
  bf16: 5e-2,
};
export const LATENTS_GATE = 2e-5;
export const FRAMES_GATE = 3e-4;

/** ||actual - expected|| / ||expected||, Euclidean, in double. NaN counts as infinite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  const error = norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Largest absolute difference; NaN counts as infinite. */
export function maxAbsError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  }
  return largest;
}

/** Collects comparisons of one run over a golden folder. */
export class Report {
  readonly comparisons: Comparison[] = [];

  relative(caseName: string, value: string, pair: Pair, gate: number): void {
    const error = relativeError(pair.actual, pair.expected);
    this.comparisons.push({ caseName, value, metric: 'relative', error, gate });
  }

  maxAbs(caseName: string, value: string, pair: Pair, gate: number): void {
    const error = maxAbsError(pair.actual, pair.expected);
    this.comparisons.push({ caseName, value, metric: 'max-abs', error, gate });
  }

  exact(caseName: string, value: string, pair: Pair): void {
    const error = maxAbsError(pair.actual, pair.expected);
    this.comparisons.push({ caseName, value, metric: 'exact', error, gate: 0 });
  }

  get failures(): Comparison[] {
    return this.comparisons.filter(({ error, gate }) => !(error <= gate));
  }
}

/** What we computed and what the reference did. */
export interface Pair {
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
}

/** One line of the table that `npm run golden` prints. */
export function formatComparison(comparison: Comparison): string {
  const { caseName, value, metric, error, gate } = comparison;
  const verdict = error <= gate ? 'ok  ' : 'FAIL';
  const limit = metric === 'exact' ? 'exact' : `<= ${gate.toExponential(0)}`;
  return `${verdict} ${caseName.padEnd(28)} ${value.padEnd(28)} ${metric.padEnd(8)} ${error.toExponential(2)} ${limit}`;
}
