import { describe, expect, test } from 'vitest';
import { Generator } from '../../src/tensor/generator.ts';

/** Values of `torch.manual_seed(seed); torch.randn(...)` on the CPU (PyTorch 2.6). */
const SEED_0 = [
  -1.1258398, -1.1523602, -0.2505786, -0.4338788, 0.8487104, 0.6920091, -0.3160128, -2.1152194,
];
const SEED_31337 = [
  1.1832817, -0.0630588, 0.9908509, -0.5060694, 2.9656179, 0.8502277, -1.2627559, 0.5218434,
];

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  const errors = expected.map((value, index) => Math.abs(actual[index]! - value));
  expect(Math.max(...errors)).toBeLessThan(1.5e-6);
}

describe('Generator', () => {
  test('draws the numbers of PyTorch for seed 0', () => {
    expectClose(new Generator(0).nextNormals(64).subarray(0, 8), SEED_0);
  });

  test('draws the latents of one section and then the next', () => {
    const generator = new Generator(31337);
    const count = 16 * 9 * 68 * 88;
    const first = generator.nextNormals(count);
    expectClose(first, SEED_31337);
    expectClose(first.subarray(count - 1), [-0.9361644]);
    expectClose(generator.nextNormals(count), [0.0298687, -1.9578198]);
  });

  // Fewer than 16 numbers take PyTorch's scalar path, with 53-bit uniforms and a kept second number.
  test('draws short tensors like PyTorch', () => {
    const expected = [1.5409961, -0.2934289, -2.1787894, 0.5684313, -1.0845224];
    expectClose(new Generator(0).nextNormals(5), expected);
    const generator = new Generator(0);
    const singles = expected.map(() => generator.nextNormals(1)[0]!);
    expectClose(Float32Array.from(singles), expected);
  });

  test('draws the last block again when the count is no multiple of 16', () => {
    const odd = new Generator(7).nextNormals(21);
    const even = new Generator(7).nextNormals(32);
    expect(odd.subarray(0, 5)).toEqual(even.subarray(0, 5));
    expect(odd.subarray(5, 16)).not.toEqual(even.subarray(5, 16));
    expect(odd.every(Number.isFinite)).toBe(true);
  });

  test('depends on the low 32 bits of the seed', () => {
    const low = new Generator(5).nextNormals(16);
    expect(new Generator(5n + (1n << 32n)).nextNormals(16)).toEqual(low);
    expect(new Generator(6).nextNormals(16)).not.toEqual(low);
  });

  // torch.Generator().manual_seed(seed) and torch.randn(64), PyTorch 2.13.
  test.each([
    [2n ** 32n + 5n, [1.8423299, 0.5188872, -1.7119213, -1.7013793, 2.0194194]],
    [2n ** 63n + 31337n, SEED_31337],
    [2n ** 64n - 1n, [-2.6642976, -1.0910486, 0.4514474, 0.2283607, 1.8986179]],
  ])('draws the numbers of PyTorch for the 64-bit seed %d', (seed, expected) => {
    expectClose(new Generator(seed).nextNormals(64), expected);
  });

  test('is standard normal', () => {
    const values = new Generator(123).nextNormals(1 << 16);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53, -1n, '7', undefined])('refuses the seed %s', (seed) => {
    expect(() => new Generator(seed as number)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('the state of a Generator', () => {
  test('makes another that goes on, wherever it stands', () => {
    for (const drawn of [0, 1, 5, 16, 623, 624, 1000]) {
      const generator = new Generator(7);
      generator.nextNormals(drawn);
      const copy = Generator.fromState(generator.state);
      expect(copy.state).toEqual(generator.state);
      for (const count of [1, 1, 40]) {
        expect(copy.nextNormals(count)).toEqual(generator.nextNormals(count));
      }
    }
  });

  test.each([
    ['short', new Uint32Array(10)],
    ['long', new Uint32Array(1000)],
    ['beyond its words', new Uint32Array(628).fill(625)],
    ['text', 'state' as unknown as Uint32Array],
  ])('is not %s', (_, state) => {
    expect(() => Generator.fromState(state)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
