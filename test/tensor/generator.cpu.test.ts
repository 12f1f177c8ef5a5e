import { expect, test } from 'vitest';
import { add } from '../../src/ops/elementwise.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

/** `torch.manual_seed(0); torch.rand(8)` on the CPU. */
const SEED_0 = [
  0.4962566, 0.7682218, 0.0884774, 0.1320305, 0.3074228, 0.6340787, 0.4900934, 0.8964447,
];

test('uniform numbers are those of PyTorch, between any bounds', async () => {
  await using device = Device.open('cpu');
  const unit = await new Generator(0).uniform(device, [2, 4]).read();
  for (const [i, value] of SEED_0.entries()) expect(unit[i]).toBeCloseTo(value, 6);
  const wide = await new Generator(0).uniform(device, [8], -2, 6).read();
  for (const [i, value] of SEED_0.entries()) expect(wide[i]).toBeCloseTo(value * 8 - 2, 5);
  expect(() => new Generator(0).uniform(device, [2], 0, Number.NaN)).toThrow(
    'uniform: bounds expected finite numbers, got 0 and NaN',
  );
});

test('a tensor that its scope freed says so', async () => {
  await using device = Device.open('cpu');
  let lost: Tensor | undefined;
  scope(() => {
    lost = new Generator(0).randn(device, [2]);
  });
  expect(() => add(lost!, 1)).toThrow(
    'add: a expected a live tensor, got one that its scope() freed at its end; return it from the ' +
      'scope, or keep() it',
  );
  const given = new Generator(0).randn(device, [2]);
  given.dispose();
  await expect(given.read()).rejects.toThrow('got a disposed one');
});
