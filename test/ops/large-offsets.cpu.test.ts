import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conv3d } from '../../src/ops/conv3d.ts';
import { cast } from '../../src/ops/copy.ts';
import { silu } from '../../src/ops/elementwise.ts';
import { upsampleNearest } from '../../src/ops/gather.ts';
import { groupNorm } from '../../src/ops/norm.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, type Tensor } from '../../src/tensor/tensor.ts';
import { largeOffsets } from './large-offsets.ts';

largeOffsets('cpu');

describe('volumes of more than 2^31 elements on meta', () => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('meta');
  });
  afterAll(() => device.close());

  const SHAPE = [1, 9, 720, 1280, 288] as const;
  const SIZE = SHAPE.reduce<number>((product, extent) => product * extent, 1);

  test.each<readonly [string, number, (x: Tensor<'bf16'>) => Tensor]>([
    ['silu', SIZE * 2, (x) => silu(x)],
    ['cast', SIZE * 4, (x) => cast(x, 'f32')],
    [
      'groupNorm',
      SIZE * 2,
      (x) => {
        const affine = empty(device, [288], 'bf16');
        return groupNorm(x, affine, affine, { groups: 32, eps: 1e-6 });
      },
    ],
    [
      'conv3d',
      (SIZE / 288) * 128 * 2,
      (x) => conv3d(x, empty(device, [128, 3, 3, 3, 288], 'bf16')),
    ],
    ['upsampleNearest', (SIZE / 9) * 17 * 4 * 2, (x) => upsampleNearest(x, [2, 2, 2])],
  ])('%s counts every byte', (_, bytes, operation) => {
    expect(SIZE).toBeGreaterThan(2 ** 31);
    scope(() => {
      const out = operation(empty(device, SHAPE, 'bf16'));
      expect(out.size * (out.dtype === 'f32' ? 4 : 2)).toBe(bytes);
      expect(device.memory().currentBytes).toBeGreaterThanOrEqual(SIZE * 2 + bytes);
      expect(device.memory().currentBytes).toBeLessThan(SIZE * 2 + bytes + 2 ** 22);
    });
    expect(device.memory().currentBytes).toBe(0);
  });
});
