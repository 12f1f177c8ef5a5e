import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Device, type DeviceOptions } from '../../src/tensor/device.ts';
import { type DType, decode } from '../../src/tensor/dtype.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { scope } from '../../src/tensor/scope.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { type Arguments, callOperation } from './operation-calls.ts';
import {
  type CaseInput,
  elementError,
  type OperationCase,
  readCases,
  type Tolerance,
  type ViewStep,
} from './operation-cases.ts';

/** What one device made of a case. */
interface Outcome {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bits: ArrayLike<number>;
}

/**
 * Runs `kernels/<family>/cases.json` on a device and on the oracles, which are the CPU device at level
 * scalar, and compares every output.
 */
export function conformance(
  family: string,
  kind: 'cpu' | 'cuda',
  options: DeviceOptions = {},
): void {
  const { cases, tolerances } = readCases(family);
  describe(`${family} on ${kind} ${options.isa ?? ''}`, () => {
    let device: Device;
    let oracle: Device;
    beforeAll(() => {
      device = Device.open(kind, options);
      oracle = Device.open('cpu', { isa: 'scalar' });
    });
    afterAll(() => Promise.all([device.close(), oracle.close()]));

    for (const item of cases.filter((candidate) => !candidate.bench)) {
      test.each(item.dtypes)(`${item.function}: ${item.name} %s`, async (dtype) => {
        const actual = await run(device, item, dtype);
        const expected = await run(oracle, item, dtype);
        expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
        for (const [index, output] of actual.entries()) {
          const tolerance = tolerances.get(item.tolerance ?? output.dtype);
          if (tolerance === undefined) throw new Error(`cases.json: no tolerance ${output.dtype}`);
          compare(output, expected[index]!, tolerance);
        }
      });
    }
  });
}

/** Every family on a CUDA device. The checks of the virtual driver, where it is one, must find nothing. */
export function cudaConformance(): void {
  const families = [
    ...['matmul', 'attention', 'conv3d', 'patchify', 'norm'],
    ...['rope', 'elementwise', 'reduce', 'copy', 'gather', 'scan', 'ggml'],
  ];
  for (const family of families) conformance(family, 'cuda');

  test('the checks of the driver have found nothing', async () => {
    await using device = Device.open('cuda');
    expect(device.describe().diagnostics ?? 0).toBe(0);
  });
}

/** The operands of a case on a device; the same numbers on every device. */
function caseArguments(device: Device, item: OperationCase, dtype: DType): Arguments {
  const tensors = Object.entries(item.inputs).map(([name, input], index) => {
    const tensor = inputTensor(device, input, input.dtype ?? dtype, index + 1);
    return [name, tensor] as const;
  });
  return { ...Object.fromEntries(tensors), ...item.options };
}

function run(device: Device, item: OperationCase, dtype: DType): Promise<Outcome[]> {
  return scope(async () => {
    const args = caseArguments(device, item, dtype);
    const outputs = callOperation(item.function, device, args);
    return Promise.all(
      outputs.map(async (output) => ({
        dtype: output.dtype,
        shape: output.shape,
        bits: await output.read(),
      })),
    );
  });
}

function inputTensor(device: Device, input: CaseInput, dtype: DType, seed: number): Tensor {
  const { mean, deviation, values, view } = input;
  const numbers = new Generator(seed).nextNormals(sizeOf(input.shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! * deviation + mean;
  values.forEach((value, index) => {
    numbers[index] = value;
  });
  const isInteger = dtype === 'i32' || dtype === 'u8';
  const data = isInteger ? numbers.map((value) => Math.round(value)) : numbers;
  return view.reduce<Tensor>(applyView, fromArray(device, data, input.shape, dtype));
}

function applyView(tensor: Tensor, { method, numbers }: ViewStep): Tensor {
  if (method === 'slice') {
    const [axis = 0, start = 0, end, step] = numbers;
    return tensor.slice(axis, start, end, step);
  }
  return method === 'permute' ? tensor.permute(numbers) : tensor.expand(numbers);
}

function compare(actual: Outcome, expected: Outcome, tolerance: Tolerance): void {
  if (tolerance.error === 0) {
    expect(firstDifference(actual.bits, expected.bits), 'first differing element').toBe(-1);
    return;
  }
  const error = elementError(
    decode(actual.bits, actual.dtype),
    decode(expected.bits, expected.dtype),
  );
  expect(error, tolerance.reason).toBeLessThanOrEqual(tolerance.error);
}

/** Index of the first element whose bits differ, or -1; NaN equals NaN. */
function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  for (let i = 0; i < expected.length; i++) if (!Object.is(actual[i], expected[i])) return i;
  return -1;
}
