import type { VaeConfig } from '../../../src/models/vae/config.ts';
import { parseVaeConfig } from '../../../src/models/vae/config.ts';
import type { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';
import { tinyConfig } from '../tiny-framepack.ts';

/** Config of the tiny checkpoint. */
export const VAE_CONFIG: VaeConfig = parseVaeConfig(tinyConfig('vae'));

/** Normal values of a shape, the same for the same seed. */
export function randomTensor(device: Device, shape: readonly number[], seed = 1): Tensor<'f32'> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = new Generator(seed).nextNormals(Math.max(size, 16)).subarray(0, size);
  return fromArray(device, values, shape, 'f32');
}
