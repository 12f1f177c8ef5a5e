import { expect, test } from 'vitest';
import { absMean, mean, std } from '../../src/ops/reduce.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { conformance } from './conformance.ts';

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
