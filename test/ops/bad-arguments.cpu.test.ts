import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as layers from '../../src/entry/nn.ts';
import * as operations from '../../src/entry/tensor.ts';
import { FramePackError } from '../../src/errors.ts';
import { full } from '../../src/ops/copy.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import {
  choosingExamples,
  type Example,
  elementwiseExamples,
  layerExamples,
  makingExamples,
  methodExamples,
  tokenExamples,
  volumeExamples,
} from './example-calls.ts';

/**
 * Every argument and every option of every exported function on tensors is replaced by values that it should not have.
 * A call may work (some values are the default, or convert) or throw one of our errors and nothing else; it may not
 * crash, and what it enqueued must run.
 */
let device: Device;
let other: Device;
let folder: string;
beforeAll(() => {
  device = Device.open('cpu', { budgetBytes: 64 * 2 ** 20 });
  other = Device.open('cpu', { threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'framepack-arguments-'));
});
afterAll(async () => {
  await device.close();
  await other.close();
  rmSync(folder, { recursive: true });
});

const getter = {
  get length(): number {
    throw new RangeError('getter');
  },
};

/** Tensors that are wrong almost everywhere: given up, elsewhere, of another type or rank, without elements. */
function badTensors(): Tensor[] {
  const disposed = full(device, [4], 'f32', 0);
  disposed.dispose();
  return [
    disposed,
    full(other, [2, 3], 'f32', 0),
    full(device, [5, 7], 'f32', 0),
    full(device, [], 'f32', 0),
    fromArray(device, [1, 2, 3, 4], [4], 'i32'),
    empty(device, [0], 'f32'),
    empty(device, [1, 1, 1, 1, 1, 1], 'f8e4m3'),
  ];
}

function badValues(): unknown[] {
  const foreign = new Proxy({}, { get: () => 1 });
  const numbers = [Number.NaN, -1, 0, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, 10n];
  const arrays = [[], [1], [-1, -1, -1], [0, 0, 0], [1e9, 1e9, 1e9], ['a', 'b', 'c'], [null]];
  const others = [null, '', 'x', true, {}, Object.create(null), () => 1, Symbol('s')];
  return [...numbers, ...arrays, ...others, getter, foreign, other, ...badTensors()];
}

/** All argument lists with one argument, or one option in it, replaced. */
function* replacements(args: readonly unknown[]): Generator<unknown[]> {
  for (const bad of badValues()) {
    for (const [index, value] of args.entries()) {
      yield args.toSpliced(index, 1, bad);
      if (Array.isArray(value) && value.length > 0) {
        yield args.toSpliced(index, 1, value.with(0, bad));
      }
      if (Object.getPrototypeOf(value) !== Object.prototype) continue;
      for (const key of Object.keys(value as object)) {
        yield args.toSpliced(index, 1, { ...(value as object), [key]: bad });
      }
    }
  }
  // Left out.
  for (const index of args.keys()) yield args.toSpliced(index, 1, undefined);
}

function isOurs(error: unknown): boolean {
  const isGetter = error instanceof RangeError && error.message === 'getter';
  return error instanceof FramePackError || isGetter;
}

/** An error that is not ours, and where it comes from. */
function placeOf(error: unknown): string {
  return (error as Error).stack?.split('\n').slice(0, 2).join(' ') ?? String(error);
}

/** Makes one call; returns what it threw. */
async function attempt(call: Example['call'], args: readonly unknown[]): Promise<unknown> {
  try {
    await scope(async () => {
      await call(...(args as never[]));
    });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What the calls with a bad argument threw. */
async function errorsOf({ call, args }: Example): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const list of replacements(args)) errors.push(await attempt(call, list));
  return errors.filter((error) => error !== undefined);
}

describe('bad arguments give a coded error, and neither crash nor hang', () => {
  const families = {
    tokens: tokenExamples,
    volumes: volumeExamples,
    elements: elementwiseExamples,
    choosing: choosingExamples,
    making: makingExamples,
    methods: methodExamples,
    layers: layerExamples,
  };
  const examples = (): Example[] =>
    Object.values(families).flatMap((family) => family(device, folder));

  test.each(Object.entries(families))('%s', { timeout: 60_000 }, async (_, family) => {
    await scope(async () => {
      for (const example of family(device, folder)) {
        const { name, call, args } = example;
        expect(await attempt(call, args), name).toBeUndefined();
        const errors = await errorsOf(example);
        const strange = new Set(errors.filter((error) => !isOurs(error)).map(placeOf));
        expect.soft([...strange], name).toEqual([]);
        expect.soft(errors.length, name).toBeGreaterThan(10);
        await device.synchronize();
      }
    });
  });

  test('every exported function is among the examples', () => {
    const called = new Set(scope(examples).map(({ name }) => name));
    const exported = Object.entries({ ...operations, ...layers });
    const functions = exported.filter(([, value]) => !/^class\b/.test(String(value)));
    const elsewhere = ['scope', 'keep'];
    const missing = functions.map(([name]) => name).filter((name) => !called.has(name));
    expect(missing.toSorted()).toEqual(elsewhere.toSorted());
  });
});
