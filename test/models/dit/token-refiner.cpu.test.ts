import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { TokenRefiner } from '../../../src/models/dit/token-refiner.ts';
import { concat } from '../../../src/ops/copy.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { maxAbsError } from '../../golden/report.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));

describe('TokenRefiner', () => {
  it('has no order: permuted tokens give permuted states', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const refiner = TokenRefiner.load(checkpoint.scope('context_embedder'), config);
      const text = new Generator(2).randn(device, [1, 5, config.textWidth]);
      const rotated = concat([text.slice(1, 2), text.slice(1, 0, 2)], 1);
      const states = refiner.forward(text, 500);
      expect(states.shape).toEqual([1, 5, config.width]);
      const expected = concat([states.slice(1, 2), states.slice(1, 0, 2)], 1);
      const actual = refiner.forward(rotated, 500);
      expect(maxAbsError(await actual.readFloat32(), await expected.readFloat32())).toBeLessThan(
        1e-4,
      );
    });
  });
});
