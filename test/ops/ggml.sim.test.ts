import { expect, test } from 'vitest';
import { dequantizeGgml } from '../../src/ops/ggml.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';

test('blocks may begin at an odd byte, which kernels cannot read from', async () => {
  await using device = Device.open('cuda');
  const bytes = Uint8Array.from({ length: 35 }, (_, i) => (i === 2 ? 60 : i));
  using all = fromArray(device, bytes, [35], 'u8');
  using alone = fromArray(device, bytes.slice(1), [34], 'u8');
  const read = async (blocks: Tensor<'u8'>): Promise<number[]> => {
    using numbers = dequantizeGgml(blocks, 'Q8_0', 'f32');
    return [...(await numbers.read())];
  };
  expect(await read(all.slice(0, 1, 35))).toEqual(await read(alone));
  expect(device.describe().diagnostics ?? 0).toBe(0);
});
