import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cast, concat, contiguous, copyInto } from '../../src/ops/copy.ts';
import { add, silu } from '../../src/ops/elementwise.ts';
import { embedding } from '../../src/ops/gather.ts';
import { take } from '../../src/ops/indexing.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { layerNorm, rmsNorm } from '../../src/ops/norm.ts';
import { max, sum } from '../../src/ops/reduce.ts';
import { cumsum } from '../../src/ops/scan.ts';
import { softmax } from '../../src/ops/softmax.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, fromArray, type Tensor } from '../../src/tensor/tensor.ts';

/**
 * Tensors of more than 2^31 elements and 2^32 bytes. Only a few of their pages are ever touched, so that they take no
 * memory: rows are 2^30 + 64 elements apart, and the last 64 of each are used.
 */
const HALF = 2 ** 30;
const WIDTH = 64;
const ROW = HALF + WIDTH;
const VALUES = Float32Array.from({ length: 2 * WIDTH }, (_, i) => ((i * 37) % 64) / 8 - 4);

/** Operations on the last rows of such a tensor give what they give on a small one. */
export function largeOffsets(kind: 'cpu' | 'cuda'): void {
  describe(`elements beyond the 2^31st on ${kind}`, { timeout: 120_000 }, () => {
    let device: Device;
    let whole: Tensor<'bf16'>;
    let near: Tensor<'bf16'>;
    let far: Tensor<'bf16'>;
    beforeAll(async () => {
      device = Device.open(kind);
      near = cast(fromArray(device, VALUES, [2, WIDTH], 'f32'), 'bf16');
      whole = empty(device, [2, ROW], 'bf16');
      far = whole.slice(1, HALF, ROW);
      copyInto(near, far);
      await device.synchronize();
    });
    afterAll(() => device.close());

    test('are where they were written', async () => {
      expect(whole.size).toBeGreaterThan(2 ** 31);
      const last = whole.reshape([2 * ROW]).slice(0, 2 * ROW - WIDTH, 2 * ROW);
      expect(await last.readFloat32()).toEqual(VALUES.slice(WIDTH));
    });

    test.each<readonly [string, (x: Tensor<'bf16'>) => Tensor]>([
      ['contiguous', (x) => contiguous(x)],
      ['cast', (x) => cast(x, 'f32')],
      ['concat', (x) => concat([x, x], 1)],
      ['take', (x) => take(x, [1, 0, 1], 0)],
      ['add', (x) => add(x, x)],
      ['silu', (x) => silu(x)],
      ['sum', (x) => sum(x, { axis: 1 })],
      ['max', (x) => max(x, { axis: 0 })],
      ['cumsum', (x) => cumsum(x, 1)],
      ['softmax', (x) => softmax(x)],
      ['layerNorm', (x) => layerNorm(x, { eps: 1e-6 })],
      ['rmsNorm', (x) => rmsNorm(x, x.slice(0, 1, 2).squeeze(0), { eps: 1e-6 })],
      ['matmul', (x) => matmul(x, x.permute([1, 0]))],
      ['linear', (x) => linear(x, x)],
    ])('%s reads them as it reads the first', async (_, operation) => {
      const [found, expected] = await scope(async () => [
        await operation(far).readFloat32(),
        await operation(near).readFloat32(),
      ]);
      expect(found).toEqual(expected);
    });

    test('embedding finds rows among them', async () => {
      const table = whole.reshape([(2 * ROW) / WIDTH, WIDTH]);
      const rows = embedding(table, [HALF / WIDTH, (2 * ROW) / WIDTH - 1]);
      expect(await rows.readFloat32()).toEqual(VALUES);
    });
  });
}
