import { matmul } from '../../../src/ops/matmul.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty, type Tensor } from '../../../src/tensor/tensor.ts';

/** A device with seconds of work ahead of it, and the last result. */
export function busyDevice(): { device: Device; result: Tensor } {
  const device = Device.open('cpu', { threads: 2 });
  const x = empty(device, [1024, 1024], 'f32');
  let result = x;
  for (let i = 0; i < 400; i++) result = matmul(x, x);
  return { device, result };
}
