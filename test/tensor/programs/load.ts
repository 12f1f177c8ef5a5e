import { linear } from '../../../src/ops/linear.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty, type Tensor } from '../../../src/tensor/tensor.ts';

/** Opens the kind of device that the last argument of the program names. */
export function openDevice(): Device {
  return Device.open(process.argv.at(-1) === 'cuda' ? 'cuda' : 'cpu', { threads: 2 });
}

/** A device with seconds of work ahead of it, and the last result. */
export function busyDevice(): { device: Device; result: Tensor } {
  const device = openDevice();
  const size = device.kind === 'cuda' ? 128 : 1024;
  const x = empty(device, [size, size], 'f32');
  let result = x;
  for (let i = 0; i < 400; i++) result = linear(x, x);
  return { device, result };
}
