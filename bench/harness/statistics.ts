/** What samples of one quantity say. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  /** Interquartile range divided by the median: 0.1 means that half of the samples lie within 10 %. */
  readonly spread: number;
}

/** The value below which a fraction `p` in [0, 1] of the samples lies, linear between neighbours. */
export function quantile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError('quantile: samples expected some, got none');
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/** Median and spread; throws a `RangeError` without samples. */
export function summarize(samples: readonly number[]): Summary {
  const median = quantile(samples, 0.5);
  const range = quantile(samples, 0.75) - quantile(samples, 0.25);
  return { count: samples.length, median, spread: median === 0 ? 0 : range / Math.abs(median) };
}
