import { describe, expect, test } from 'vitest';
import { benchCases, casesOf } from '../../../bench/suites/ops.ts';

const rows = benchCases().map(({ name, dtype }) => `${name} ${dtype}`);

describe('benchCases', () => {
  test.each([
    'matmul 1560x3072x3072',
    'matmul 4096x3072x12288',
    'attention L4096 D128 H8',
    'conv3d 256x256x3 9x60x104',
  ])('has %s in bf16 and in f32', (name) => {
    expect(rows).toContain(`${name} bf16`);
    expect(rows).toContain(`${name} f32`);
  });

  test('no two rows have one name', () => {
    const keys = benchCases().map(({ name, dtype, item }) =>
      [name, dtype, item.inputs.weight?.dtype].join(' '),
    );
    expect(keys).toEqual([...new Set(keys)]);
  });
});

describe('casesOf', () => {
  test('f32 rows have f32 weights and results too', () => {
    const [, f32] = casesOf('matmul', { m: 2, n: 3, k: 4 });
    expect(f32?.dtype).toBe('f32');
    expect(f32?.item.inputs.weight?.dtype).toBe('f32');
    expect(f32?.item.options.outDtype).toBe('f32');
  });

  test('a line that chooses its dtype keeps it', () => {
    const cases = casesOf('matmul', { m: 2, n: 3, k: 4, a: 'f32', w: 'bf16' });
    expect(cases.map(({ dtype, item }) => [dtype, item.inputs.weight?.dtype])).toEqual([
      ['f32', 'bf16'],
    ]);
  });

  test('a line that names a function runs in the dtypes that it lists', () => {
    const line = { function: 'add', name: 'small', a: [2], b: [2], dtypes: 'f32 bf16' };
    expect(casesOf('elementwise', line).map(({ name, dtype }) => [name, dtype])).toEqual([
      ['add small', 'f32'],
      ['add small', 'bf16'],
    ]);
  });
});
