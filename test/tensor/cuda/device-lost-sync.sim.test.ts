import { expect, test, vi } from 'vitest';
import { add } from '../../../src/ops/elementwise.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

vi.stubEnv('CUDA_SIM_STEP_LIMIT', '2');
vi.stubEnv('CUDA_SIM_MAX_REPORTS', '1');
vi.stubEnv('FRAMEPACK_SYNC', '1');

test('FRAMEPACK_SYNC throws a fault from the call that caused it', async () => {
  const device = Device.open('cuda');
  const x = fromArray(device, [1, 2], [2], 'f32');
  expect(() => add(x, x)).toThrow(
    expect.objectContaining({
      code: 'ERR_DEVICE_LOST',
      message: expect.stringMatching(/^elementwise: .*CUDA_ERROR_LAUNCH_TIMEOUT/),
    }),
  );
  await expect(device.close()).rejects.toMatchObject({ code: 'ERR_DEVICE_LOST' });
});
