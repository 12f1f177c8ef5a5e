import type { Sampler } from '../harness/measure.ts';

/** Where an operand of ours lies for others to read. */
export interface SpilledTensor {
  readonly file: string;
  readonly offset: number;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What a rival is asked to do. */
export interface RivalCall {
  /** Name of a function of `src/ops`, or of a network's block. */
  readonly kind: string;
  /** Operands by the names of `src/ops`. */
  readonly tensors: Readonly<Record<string, SpilledTensor>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Types that it may compute in; the faster counts. */
  readonly dtypes: readonly string[];
  /** Of the flattened result every so many elements are compared. */
  readonly stride: number;
}

/** One way of a rival to do the call. */
export interface RivalVariant {
  readonly label: string;
  /** Milliseconds of one call; the first sample of a variant is its warm-up. */
  readonly sample: Sampler;
  /** CPU time of the calls sampled so far, milliseconds each. */
  readonly cpuMs: () => readonly number[];
  /** Every `stride`th element of its result. */
  readonly result: Float32Array;
}

/** Another program that can do some of what we do. */
export interface Rival {
  readonly name: string;
  readonly version: string;
  supports(call: RivalCall): boolean;
  prepare(call: RivalCall): Promise<readonly RivalVariant[]>;
  /** Every `stride`th element of the result in f64, to judge by; null from a rival that cannot. */
  exact(call: RivalCall): Promise<Float64Array | null>;
  /** Frees what {@link prepare} made. */
  release(): Promise<void>;
  close(): Promise<void>;
}
