import { readFileSync } from 'node:fs';
import type { Device } from '../../src/tensor/device.ts';
import { bytesOf, type DType } from '../../src/tensor/dtype.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { callOperation } from '../../test/ops/operation-calls.ts';
import {
  type CaseInput,
  type CaseLine,
  caseOfLine,
  type OperationCase,
} from '../../test/ops/operation-cases.ts';
import { randomTensor } from '../harness/random-tensor.ts';
import { type BenchContext, isWanted, measure, type Subject } from './subject.ts';

const FAMILIES = [
  ...['matmul', 'attention', 'conv3d', 'patchify', 'norm'],
  ...['rope', 'elementwise', 'reduce', 'copy', 'gather', 'scan'],
];

/** A case under the name of its row. */
export interface BenchCase {
  readonly name: string;
  readonly item: OperationCase;
  readonly dtype: DType;
}

/** The lines of `kernels/<op>/cases.json` that are marked for benchmarks. */
export function benchCases(): BenchCase[] {
  return FAMILIES.flatMap((family) => {
    const file = new URL(`../../kernels/${family}/cases.json`, import.meta.url);
    const lines = JSON.parse(readFileSync(file, 'utf8')) as CaseLine[];
    return lines.filter((line) => line.bench === true).flatMap((line) => casesOf(family, line));
  });
}

/** A line that leaves its dtype open stands for bf16 in the tests; a benchmark wants f32 too. */
export function casesOf(family: string, line: CaseLine): BenchCase[] {
  const key = DTYPE_KEYS[family];
  const isOpen = key !== undefined && line.function === undefined && line[key] === undefined;
  const lines = isOpen ? [line, { ...line, [key]: 'f32' }] : [line];
  return lines.flatMap((variant) => {
    const item = caseOfLine(family, variant);
    const name =
      line.function === undefined ? NAMES[family]!(line) : `${line.function} ${line.name}`;
    return item.dtypes.map((dtype) => ({ name, item, dtype }));
  });
}

const DTYPE_KEYS: Readonly<Record<string, string>> = {
  matmul: 'a',
  attention: 'dtype',
  conv3d: 'dtype',
  patchify: 'x',
};

const NAMES: Readonly<Record<string, (line: CaseLine) => string>> = {
  matmul: ({ m, n, k, activation, bias }) =>
    [`matmul ${m}x${n}x${k}`, bias && '+bias', activation].filter(Boolean).join(' '),
  attention: ({ l, width, heads = 1 }) => `attention L${l} D${width} H${heads}`,
  conv3d: ({ cin, cout, kernel = [], extent = [] }) =>
    `conv3d ${cin}x${cout}x${(kernel as number[]).at(-1)} ${(extent as number[]).join('x')}`,
  patchify: ({ channels, width, extent = [] }) =>
    `patchify ${channels}x${width} ${(extent as number[]).join('x')}`,
};

/** Floating-point operations of a call from its operands and its result. */
const FLOPS: Readonly<Record<string, (tensors: Record<string, Tensor>, out: Tensor) => number>> = {
  linear: ({ x }, out) => 2 * out.size * x!.shape.at(-1)!,
  // Two products of [L, K] and [S, K] for each head: 4 L S K N.
  attention: ({ q, k }) => 4 * q!.size * k!.shape[1]!,
  conv3d: ({ weight }, out) => 2 * out.size * (weight!.size / weight!.shape[0]!),
  patchify: ({ weight }, out) => 2 * out.size * (weight!.size / weight!.shape[0]!),
};

/** Suite `ops`: single operations. */
export async function runOps(
  context: BenchContext,
  cases: readonly BenchCase[] = benchCases(),
): Promise<void> {
  for (const benchCase of cases) {
    const { dtype, item, name } = benchCase;
    const weightDtype = (item.inputs.weight ?? item.inputs.data)?.dtype ?? dtype;
    const facts = { suite: 'ops', name, dtype, weightDtype };
    if (!isWanted(context, facts)) continue;
    await scope(async () => measure(context, subjectOf(context.device, benchCase, facts)));
  }
}

function subjectOf(
  device: Device,
  { item, dtype }: BenchCase,
  facts: Omit<Subject, 'run'>,
): Subject {
  const tensors = Object.fromEntries(
    Object.entries(item.inputs).map(([name, input], index) => [
      name,
      operand(device, input, input.dtype ?? dtype, index + 1),
    ]),
  );
  const args = { ...tensors, ...item.options };
  const call = (): Tensor[] => callOperation(item.function, device, args);
  return scope(() => {
    const outputs = call();
    const flops = FLOPS[item.function]?.(tensors, outputs[0]!);
    const moved = [...Object.values(tensors), ...outputs];
    const bytes = moved.reduce((sum, tensor) => sum + tensor.size * bytesOf(tensor.dtype), 0);
    return {
      ...facts,
      run: () => call()[0]!,
      ...(flops === undefined ? { bytes } : { flops }),
      rival: { kind: item.function, options: item.options, tensors },
    };
  });
}

function operand(device: Device, input: CaseInput, dtype: DType, seed: number): Tensor {
  const { mean, deviation, values, view, shape } = input;
  const whole =
    values.length > 0
      ? fromArray(device, values, shape, dtype)
      : randomTensor(device, shape, dtype, { mean, deviation, seed });
  return view.reduce<Tensor>((tensor, { method, numbers }) => {
    if (method === 'permute') return tensor.permute(numbers);
    if (method === 'expand') return tensor.expand(numbers);
    const [axis = 0, start = 0, end, step] = numbers;
    return tensor.slice(axis, start, end, step);
  }, whole);
}
