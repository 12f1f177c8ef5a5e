import { expect, test } from 'vitest';
import { groupNorm, layerNorm } from '../../src/ops/norm.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { conformance } from './conformance.ts';

conformance('norm', 'cpu', { isa: 'avx2' });
conformance('norm', 'cpu', { isa: 'avx512' });

test('the number of threads does not change a bit', async () => {
  const results: Buffer[] = [];
  for (const threads of [1, 2, 3, 8]) {
    await using device = Device.open('cpu', { threads });
    const generator = new Generator(7);
    const x = generator.randn(device, [2, 9, 20, 13, 32]);
    const weight = generator.randn(device, [32]);
    const outputs = [
      groupNorm(x, weight, weight, { groups: 8, eps: 1e-6, silu: true }),
      layerNorm(x, { weight, bias: weight, eps: 1e-6 }),
    ];
    const bits = await Promise.all(outputs.map((output) => output.read()));
    results.push(Buffer.concat(bits.map(({ buffer }) => Buffer.from(buffer))));
  }
  expect(results.map((result) => result.equals(results[0]!))).toEqual([true, true, true, true]);
});
