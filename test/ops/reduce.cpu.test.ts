import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contiguous } from '../../src/ops/copy.ts';
import { absMean, max, mean, min, std, sum } from '../../src/ops/reduce.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { contiguousStrides, sizeOf } from '../../src/tensor/shape.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';
import { at, generate, type HostArray, hostArray } from './host-array.ts';

conformance('reduce', 'cpu', { isa: 'avx2' });
conformance('reduce', 'cpu', { isa: 'avx512' });

test('the number of threads does not change a bit', async () => {
  const results: Float32Array[][] = [];
  for (const threads of [1, 2, 3, 8]) {
    await using device = Device.open('cpu', { threads });
    const x = new Generator(7).randn(device, [5, 130, 300]);
    const outputs = [mean(x), std(x, { axis: 1 }), absMean(x, { axes: [1, 2] })];
    results.push(await Promise.all(outputs.map((output) => output.read())));
  }
  for (const result of results.slice(1)) expect(result).toEqual(results[0]);
});

describe('axes and views', () => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('cpu');
  });
  afterAll(() => device.close());

  const source = hostArray([3, 4, 5, 2]);
  const tensor = (): Tensor<'f32'> => fromArray(device, source.data, source.shape, 'f32');

  /** Sums over axes of an array, in words. */
  function total({ shape, data }: HostArray, axes: readonly number[]): number[] {
    const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const sums = new Array<number>(sizeOf(kept)).fill(0);
    const strides = contiguousStrides(kept);
    generate(shape, (index) => {
      const target = index.reduce(
        (sum, i, axis) => sum + (axes.includes(axis) ? 0 : i * strides[axis]!),
        0,
      );
      sums[target] = sums[target]! + at({ shape, data }, index);
      return 0;
    });
    return sums;
  }

  test.each([[[0]], [[3, 0]], [[0, 2]], [[1, 3]], [[3, 2, 1, 0]], [[]], [[-1, 0]]])(
    'axes %j need not be neighbours',
    async (axes) => {
      const whole = axes.map((axis) => (axis + 4) % 4);
      const y = sum(tensor(), { axes });
      expect(y.shape).toEqual(source.shape.filter((_, axis) => !whole.includes(axis)));
      expect([...(await y.read())]).toEqual(total(source, whole));
      const kept = mean(tensor(), { axes, keepAxis: true });
      expect(kept.shape).toEqual(source.shape.map((n, axis) => (whole.includes(axis) ? 1 : n)));
    },
  );

  test.each([
    { name: 'turned', view: (x: Tensor<'f32'>) => x.permute([3, 1, 0, 2]) },
    { name: 'sliced', view: (x: Tensor<'f32'>) => x.slice(1, 1, 4, 2) },
    { name: 'stretched', view: (x: Tensor<'f32'>) => x.slice(2, 1, 2).expand([3, 4, 6, 2]) },
  ])('a $name view needs no contiguous()', async ({ view }) => {
    const x = view(tensor());
    const packed = { shape: x.shape, data: [...(await x.read())] };
    for (const axes of [[0], [1], [2], [3], [0, 3], [1, 2], [0, 1, 2, 3]]) {
      expect([...(await sum(x, { axes }).read())]).toEqual(total(packed, axes));
    }
    const difference = absMean(x, { minus: contiguous(x), axes: [1] });
    expect((await difference.read()).every((value) => value === 0)).toBe(true);
    expect([...(await max(x).read())]).toEqual([Math.max(...packed.data)]);
    expect([...(await min(x).read())]).toEqual([Math.min(...packed.data)]);
  });

  test('the extremes of nothing have no value', () => {
    const nothing = fromArray(device, [], [0, 3], 'f32');
    expect(() => max(nothing, { axis: 0 })).toThrow(
      'max: x expected elements along the reduced axes, got [0, 3]',
    );
    expect(min(nothing, { axis: 1 }).shape).toEqual([0]);
    expect(() => sum(tensor(), { axes: [1, -3] })).toThrow('sum: axes expected distinct axes');
  });
});
