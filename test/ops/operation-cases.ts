import { readFileSync } from 'node:fs';
import { type DType, isDType } from '../../src/tensor/dtype.ts';
import { productCase } from './product-cases.ts';

/** One line of `kernels/<op>/cases.json`: a call of a function of `src/ops`. */
export interface OperationCase {
  readonly name: string;
  readonly function: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  /** Further arguments, by the names of `src/ops`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The case runs once per entry, and inputs without a dtype of their own take it. */
  readonly dtypes: readonly DType[];
  /** Name of a tolerance; without one it is the dtype of each output. */
  readonly tolerance: string | undefined;
  /** For benchmarks only. */
  readonly bench: boolean;
}

/** A seeded tensor and the views taken of it. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype: DType | undefined;
  /** Of the normal numbers that fill it. */
  readonly mean: number;
  readonly deviation: number;
  /** Numbers that replace the first ones. */
  readonly values: readonly number[];
  /** Steps such as `permute 1 0` or `slice 0 2 9 3` (axis, start, end, step). */
  readonly view: readonly ViewStep[];
}

/** One step from a contiguous tensor to the operand. */
export interface ViewStep {
  readonly method: 'permute' | 'slice' | 'expand';
  readonly numbers: readonly number[];
}

/** Largest allowed {@link elementError}; 0 demands equal bits. */
export interface Tolerance {
  readonly error: number;
  readonly reason: string;
}

/** The cases of an operation family. */
export interface CaseFile {
  readonly tolerances: ReadonlyMap<string, Tolerance>;
  readonly cases: readonly OperationCase[];
}

/** A line of a case file. */
export type CaseLine = Readonly<Record<string, number | string | boolean | readonly number[]>>;

const TENSOR =
  /^(x|a|b|q|k|v|weight|bias|scale|shift|minus|target|cos|sin|data|table|condition|indices|source|part\d+)$/;

/**
 * Reads `kernels/<family>/cases.json`: an array of flat objects, so that the C++ tests read it too. A line with
 * `function` is a case. In it a tensor is an array under the tensor's name, its shape; `x.dtype`, `x.mean`,
 * `x.deviation`, `x.values` and `x.view` say more about it. Every other key is an option. A line with
 * `error` is a tolerance and its reason. Any other line gives the sizes of a {@link productCase}.
 */
export function readCases(family: string): CaseFile {
  const file = new URL(`../../kernels/${family}/cases.json`, import.meta.url);
  const lines = JSON.parse(readFileSync(file, 'utf8')) as CaseLine[];
  const tolerances = lines
    .filter((line) => line.error !== undefined)
    .map(({ tolerance, error, reason }) => {
      return [String(tolerance), { error: Number(error), reason: String(reason) }] as const;
    });
  const cases = lines
    .filter((line) => line.error === undefined)
    .map((line) => caseOfLine(family, line));
  return { tolerances: new Map(tolerances), cases };
}

/** The case that a line without `error` stands for. */
export function caseOfLine(family: string, line: CaseLine): OperationCase {
  return line.function === undefined ? productCase(family, line) : parseCase(line);
}

function parseCase(line: CaseLine): OperationCase {
  const { name, function: operation, dtypes = 'f32 f16 bf16', tolerance, bench, ...rest } = line;
  const isTensor = ([key, value]: [string, unknown]) => TENSOR.test(key) && Array.isArray(value);
  const tensors = Object.entries(rest).filter(isTensor);
  const inputs = tensors.map(([key]) => [key, parseInput(key, rest)] as const);
  const options = Object.entries(rest).filter(
    (entry) => !entry[0].includes('.') && !isTensor(entry),
  );
  return {
    name: String(name),
    function: String(operation),
    inputs: Object.fromEntries(inputs),
    options: Object.fromEntries(options),
    dtypes: String(dtypes).split(' ').filter(isDType),
    tolerance: tolerance === undefined ? undefined : String(tolerance),
    bench: bench === true,
  };
}

function parseInput(key: string, line: CaseLine): CaseInput {
  const text = (property: string) => String(line[`${key}.${property}`] ?? '');
  const words = (source: string) => source.split(' ').filter((word) => word !== '');
  const view = text('view').split(',').map(words);
  const dtype = text('dtype');
  return {
    shape: line[key] as readonly number[],
    dtype: isDType(dtype) ? dtype : undefined,
    mean: Number(line[`${key}.mean`] ?? 0),
    deviation: Number(line[`${key}.deviation`] ?? 1),
    values: words(text('values')).map(Number),
    view: view
      .filter((step) => step.length > 0)
      .map(([method, ...numbers]) => ({
        method: method as ViewStep['method'],
        numbers: numbers.map(Number),
      })),
  };
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
