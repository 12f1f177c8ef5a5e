import { describe, expect, test } from 'vitest';
import { add, div, exp, silu, sub } from '../../src/ops/elementwise.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';

conformance('elementwise', 'cpu', { isa: 'avx2' });
conformance('elementwise', 'cpu', { isa: 'avx512' });

describe.each(['scalar', 'avx2', 'avx512'] as const)('elementwise at level %s', (isa) => {
  test('rank 0 operands stretch', async () => {
    await using device = Device.open('cpu', { isa });
    const one = fromArray(device, [3], [], 'f32');
    const many = fromArray(device, [1, 2, 4], [3], 'bf16');
    expect([...(await sub(one, many).read())]).toEqual([2, 1, -1]);
    expect([...(await div(many, one).readFloat32())].map((x) => x.toFixed(2))).toEqual([
      '0.33',
      '0.67',
      '1.34',
    ]);
    expect([...(await add(one, one).read())]).toEqual([6]);
  });

  test('the exponential ends in zero, infinity and NaN', async () => {
    await using device = Device.open('cpu', { isa });
    const x = fromArray(device, [-1000, 1000, Number.NaN, 0, -100], [5], 'f32');
    const y = await exp(x).read();
    expect([...y.subarray(0, 4)]).toEqual([0, Number.POSITIVE_INFINITY, Number.NaN, 1]);
    expect(y[4]! / Math.exp(-100)).toBeCloseTo(1, 1); // subnormal: one step is 4 %
    expect([...(await silu(x).read())].slice(0, 4)).toEqual([-0, 1000, Number.NaN, 0]);
  });
});
