import { expect, test, vi } from 'vitest';
import { add } from '../../../src/ops/elementwise.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty, fromArray } from '../../../src/tensor/tensor.ts';

const MIB = 1 << 20;

vi.stubEnv('CUDA_SIM_MEMORY_LIMIT', String(8 * MIB));

test('a full GPU is ERR_OUT_OF_MEMORY with the numbers; memory that is given back serves again', async () => {
  await using device = Device.open('cuda');
  const before = device.memory();
  const half = empty(device, [MIB], 'f32');
  expect(() => empty(device, [2 * MIB], 'f32')).toThrow(
    expect.objectContaining({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(/expected 8388608 free bytes, got none with 4194304 in use/),
    }),
  );
  const x = fromArray(device, [1], [1], 'f32');
  expect(await add(x, x).read()).toEqual(new Float32Array([2]));
  half.dispose();
  // Fits only when the cached block of `half` goes back to the driver first.
  using whole = empty(device, [Math.floor(1.4 * MIB)], 'f32');
  expect(whole.size).toBe(Math.floor(1.4 * MIB));
  expect(device.memory().currentBytes).toBeLessThan(before.currentBytes + 6 * MIB);
});
