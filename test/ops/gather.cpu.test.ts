import { expect, test } from 'vitest';
import { embedding } from '../../src/ops/gather.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';

conformance('gather', 'cpu', { isa: 'avx2' });
conformance('gather', 'cpu', { isa: 'avx512' });

test('an id outside the table names its place', async () => {
  await using device = Device.open('cpu');
  const table = fromArray(device, [1, 2, 3, 4, 5, 6], [3, 2], 'f32');
  expect(() => embedding(table, [0, 3])).toThrow(/embedding: ids\[1\] expected .*2.*, got 3/);
  expect(embedding(table, []).shape).toEqual([0, 2]);
  expect([...(await embedding(table, [2, 0]).read())]).toEqual([5, 6, 1, 2]);
});
