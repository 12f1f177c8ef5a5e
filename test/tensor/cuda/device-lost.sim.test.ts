import { expect, test, vi } from 'vitest';
import { add } from '../../../src/ops/elementwise.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

// No kernel ends within two instructions, so the first is a fault that the context does not survive.
vi.stubEnv('CUDA_SIM_STEP_LIMIT', '2');
vi.stubEnv('CUDA_SIM_MAX_REPORTS', '1');

const LOST = expect.objectContaining({
  name: 'FramePackError',
  code: 'ERR_DEVICE_LOST',
  message: expect.stringMatching(/^[\w.]+: .*CUDA_ERROR_LAUNCH_TIMEOUT/),
});

test('a fault of a kernel reaches the next wait, every later call, and nobody else', async () => {
  const device = Device.open('cuda');
  const x = fromArray(device, [1, 2], [2], 'f32');
  const y = add(x, x);
  await expect(y.read()).rejects.toEqual(LOST);
  await expect(device.synchronize()).rejects.toEqual(LOST);
  expect(() => add(x, x)).toThrow(LOST);
  x.dispose();
  await expect(device.close()).rejects.toEqual(LOST);

  await using cpu = Device.open('cpu');
  const z = fromArray(cpu, [1, 2], [2], 'f32');
  expect(await add(z, z).read()).toEqual(new Float32Array([2, 4]));

  // The primary context stays ruined until the process ends, here as with NVIDIA's driver.
  expect(() => Device.open('cuda')).toThrow(LOST);
});
