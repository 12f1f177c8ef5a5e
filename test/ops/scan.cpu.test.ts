import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../../src/ops/indexing.ts';
import { argmax, argmin, cumsum, topK } from '../../src/ops/scan.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';

conformance('scan', 'cpu', { isa: 'avx2' });
conformance('scan', 'cpu', { isa: 'avx512' });

describe('positions', () => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('cpu');
  });
  afterAll(() => device.close());

  test('argmax and argmin along an axis, and over everything', async () => {
    const x = fromArray(device, [3, 9, 9, -4, 5, -4], [2, 3], 'bf16');
    expect([...(await argmax(x, { axis: 1 }).read())]).toEqual([1, 1]);
    expect([...(await argmin(x, { axis: 0 }).read())]).toEqual([1, 1, 1]);
    expect([...(await argmax(x).read())]).toEqual([1]);
    expect([...(await argmin(x.permute([1, 0])).read())]).toEqual([1]);
    expect(argmax(x, { axis: 0, keepAxis: true }).shape).toEqual([1, 3]);
    expect(argmin(x, { keepAxis: true }).shape).toEqual([1, 1]);
    expect(() => argmax(fromArray(device, [], [2, 0], 'f32'), { axis: 1 })).toThrow(
      'argmax: x expected elements along axis 1, got [2, 0]',
    );
  });

  test('what topK finds is what gather reads', async () => {
    const x = new Generator(3).randn(device, [4, 50]);
    const { values, indices } = topK(x, 5);
    expect(await gather(x, indices, 1).read()).toEqual(await values.read());
    const sorted = [...(await x.read())].slice(0, 50).sort((a, b) => b - a);
    expect([...(await values.read())].slice(0, 5)).toEqual(sorted.slice(0, 5));
    expect(() => topK(x, 51)).toThrow('topK: k expected a whole number in [0, 50], got 51');
  });

  test('views are scanned as they look', async () => {
    const x = fromArray(device, [1, 2, 3, 4, 5, 6], [2, 3], 'f32').permute([1, 0]);
    expect([...(await cumsum(x, 0).read())]).toEqual([1, 4, 3, 9, 6, 15]);
    expect([...(await topK(x, 1, { axis: 0 }).values.read())]).toEqual([3, 6]);
  });
});
