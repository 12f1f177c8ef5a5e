import { readFileSync } from 'node:fs';
import type { DType } from '../../src/tensor/dtype.ts';

/** One case of `kernels/<op>/cases.json`; kernels/README.md explains the fields. */
export interface OperationCase {
  readonly name: string;
  /** The function of `src/ops` that is called. */
  readonly function: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** Further arguments, by the names of `src/ops`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Run once per entry, which inputs without a dtype take; default f32, f16, bf16. */
  readonly dtypes?: readonly DType[];
  /** Key of `tolerances`; default: the dtype of each output. */
  readonly tolerance?: string;
  /** For benchmarks only. */
  readonly bench?: boolean;
}

/** A seeded tensor and the views taken of it. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Normal numbers; defaults 0 and 1. */
  readonly mean?: number;
  readonly deviation?: number;
  /** Numbers that replace the first ones; "NaN" and "Infinity" are spelt as strings. */
  readonly values?: readonly (number | string)[];
  readonly view?: readonly ViewStep[];
}

/** One step from a contiguous tensor to the operand. */
export type ViewStep =
  | { readonly permute: readonly number[] }
  | { readonly slice: readonly [axis: number, start: number, end: number, step?: number] }
  | { readonly expand: readonly number[] };

/** Largest allowed error of an element, see {@link elementError}; 0 demands equal bits. */
export interface Tolerance {
  readonly error: number;
  readonly reason: string;
}

/** The file `kernels/<op>/cases.json`. */
export interface CaseFile {
  readonly tolerances: Readonly<Record<string, Tolerance>>;
  readonly cases: readonly OperationCase[];
}

/** Reads the cases of an operation family. */
export function readCases(family: string): CaseFile {
  const file = new URL(`../../kernels/${family}/cases.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as CaseFile;
}

/**
 * `max |actual - expected| / (|expected| + rms(expected))`: relative for large elements, and no worse than a
 * typical element's error for small ones. Infinite when NaN or infinity appear in one of the two only.
 */
export function elementError(actual: Float32Array, expected: Float32Array): number {
  let squares = 0;
  for (const value of expected) if (Number.isFinite(value)) squares += value * value;
  const rms = Math.sqrt(squares / Math.max(1, expected.length));
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const error = Math.abs(actual[i]! - expected[i]!) / (Math.abs(expected[i]!) + rms);
    worst = Math.max(worst, Number.isFinite(error) ? error : Number.POSITIVE_INFINITY);
  }
  return worst;
}
