import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { attention } from '../../src/ops/attention.ts';
import { conv3d } from '../../src/ops/conv3d.ts';
import { cast, concat, copyInto, full, quantizeFp8, to } from '../../src/ops/copy.ts';
import { add, affine, clamp, lerp } from '../../src/ops/elementwise.ts';
import { embedding, upsampleNearest } from '../../src/ops/gather.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { groupNorm, layerNorm, rmsNorm } from '../../src/ops/norm.ts';
import { patchify, unpatchify } from '../../src/ops/patchify.ts';
import { absMean, sum } from '../../src/ops/reduce.ts';
import { rope, ropePool, ropeTable } from '../../src/ops/rope.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, fromArray, type Tensor } from '../../src/tensor/tensor.ts';

/**
 * Every argument and every option of every operation is replaced by values that it should not have. A call
 * may work (some values are the default, or convert), or throw one of our errors or a TypeError; it may not
 * crash, and what it enqueued must run.
 */
let device: Device;
beforeAll(() => {
  device = Device.open('cpu', { budgetBytes: 64 * 2 ** 20 });
});
afterAll(() => device.close());

const getter = {
  get length(): number {
    throw new RangeError('getter');
  },
};

function badValues(): unknown[] {
  const foreign = new Proxy({}, { get: () => 1 });
  const disposed = full(device, [4], 'f32', 0);
  disposed.dispose();
  const odd = full(device, [5, 7], 'f32', 0);
  const integers = fromArray(device, [1, 2, 3, 4], [4], 'i32');
  return [
    ...[null, Number.NaN, -1, 0, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, 10n, '', 'x', true],
    ...[
      [],
      [1],
      [-1, -1, -1],
      [0, 0, 0],
      [1e9, 1e9, 1e9],
      ['a', 'b', 'c'],
      {},
      () => 1,
      Symbol('s'),
    ],
    ...[getter, foreign, disposed, odd, integers, empty(device, [0], 'f32')],
  ];
}

type Call = (...args: never[]) => unknown;

type Example = readonly [Call, ...unknown[]];

function t(...shape: number[]): Tensor<'f32'> {
  return full(device, shape, 'f32', 0.5);
}

/** Correct calls of the operations on tokens. */
function tokenCalls(): Example[] {
  const grid = { framePositions: [0, 1], height: 1, width: 2 };
  const angles = { ...grid, axisWidths: [2, 2, 4] as const, theta: 256 };
  const table = ropeTable(device, angles);
  const heads = t(1, 4, 2, 8);
  const segments = { queryOffsets: [0, 2, 4], keyOffsets: [0, 2, 4] };
  const modulation = { scale: t(2, 4), shift: t(2, 4) };
  return [
    [linear, t(2, 4), t(3, 4), t(3), { gate: t(1, 3), residual: t(2, 3), into: t(2, 3) }],
    [linear, t(2, 4), t(3, 4), t(3), { activation: 'silu', outDtype: 'bf16' }],
    [linear, t(2, 4), quantizeFp8(t(3, 4), 'channel')],
    [matmul, t(2, 4), t(3, 4, 3), { outDtype: 'bf16' }],
    [attention, heads, heads, heads, { scale: 1, mask: 'frame-causal', frameTokens: 2 }],
    [attention, heads, heads, heads, { segments }],
    [layerNorm, t(2, 3, 4), { eps: 1e-6, weight: t(4), bias: t(4), ...modulation }],
    [rmsNorm, t(2, 4), t(4), { eps: 1e-6 }],
    [ropeTable, device, angles],
    [ropePool, table, { grid: [2, 1, 2], pool: [2, 2, 2] }],
    [rope, heads, table, { layout: 'half-split', weight: t(8), eps: 1e-6, into: t(1, 4, 2, 8) }],
    [embedding, t(4, 3), [0, 3, 1], 'f32'],
  ];
}

/** Correct calls of the operations on volumes. */
function volumeCalls(): Example[] {
  const geometry = { stride: [1, 1, 1], pad: [2, 1, 1], outExtent: [2, 3, 3] };
  const out = { bias: t(5), residual: t(1, 2, 3, 3, 5), into: t(1, 2, 3, 3, 5) };
  return [
    [conv3d, t(1, 2, 3, 3, 4), t(5, 3, 3, 3, 4), { ...geometry, ...out }],
    [groupNorm, t(1, 3, 4), t(4), t(4), { groups: 2, eps: 1e-6, silu: true }],
    [patchify, t(1, 2, 2, 4, 4), t(6, 2, 1, 2, 2), { bias: t(6), outDtype: 'f16' }],
    [unpatchify, t(1, 8, 8), { grid: [2, 2, 2], patch: [1, 2, 2], channels: 2 }],
    [upsampleNearest, t(1, 2, 2, 2, 3), [2, 2, 2]],
  ];
}

/** Correct calls of the operations on any shape. */
function plainCalls(): Example[] {
  return [
    [add, t(2, 3), t(3)],
    [lerp, t(2, 3), t(2, 3), 0.5],
    [affine, t(2, 3), 2, 1],
    [clamp, t(2, 3), 0, 1],
    [sum, t(2, 3, 4), { axis: 1, keepAxis: true, outDtype: 'f32' }],
    [sum, t(2, 3, 4), { axes: [0, 1] }],
    [absMean, t(2, 3), { minus: t(2, 3) }],
    [cast, t(2, 3), 'bf16'],
    [concat, [t(2, 3), t(1, 3)], 0],
    [copyInto, t(2, 3), t(2, 3)],
    [full, device, [2, 3], 'f32', 1],
    [to, t(2, 3), device],
    [quantizeFp8, t(2, 64), 'block64'],
  ];
}

/** All argument lists with one argument, or one option in it, replaced. */
function* replacements(args: readonly unknown[]): Generator<unknown[]> {
  for (const bad of badValues()) {
    for (const [index, value] of args.entries()) {
      yield args.toSpliced(index, 1, bad);
      if (Object.getPrototypeOf(value) !== Object.prototype) continue;
      for (const key of Object.keys(value as object)) {
        yield args.toSpliced(index, 1, { ...(value as object), [key]: bad });
      }
    }
  }
}

function isOurs(error: unknown): boolean {
  const isGetter = error instanceof RangeError && error.message === 'getter';
  return error instanceof FramePackError || error instanceof TypeError || isGetter;
}

/** Makes one call; returns what it threw. */
function attempt(call: Call, args: readonly unknown[]): unknown {
  try {
    scope(() => call(...(args as never[])));
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('bad arguments neither crash nor hang', () => {
  test.each([
    { family: 'tokens', examples: tokenCalls },
    { family: 'volumes', examples: volumeCalls },
    { family: 'any shape', examples: plainCalls },
  ])('operations on $family', async ({ examples }) => {
    await scope(async () => {
      for (const [call, ...args] of examples()) {
        expect(attempt(call, args)).toBeUndefined();
        const thrown = [...replacements(args)]
          .map((list) => attempt(call, list))
          .filter((error) => error !== undefined);
        expect(thrown.filter((error) => !isOurs(error))).toEqual([]);
        expect(thrown.length).toBeGreaterThan(10);
        await device.synchronize();
      }
    });
  });
});
