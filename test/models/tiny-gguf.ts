import { join } from 'node:path';
import { Device } from '../../src/tensor/device.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { buildGguf, encodeQ8, type GgufTensor } from '../build-gguf.ts';
import { buildSafetensors, bytesOf, f32, type RawTensor } from '../build-safetensors.ts';
import { TINY_MODEL } from './tiny-framepack.ts';

const Q8_0 = 8;
const F32 = 0;
const BLOCK = 32;

/** The small transformer with its matrices in blocks of Q8_0, and the numbers in these as a safetensors file. */
export async function tinyGguf(): Promise<{ gguf: Uint8Array; numbers: Uint8Array }> {
  await using device = Device.open('cpu');
  const stored = await Checkpoint.open(device, join(TINY_MODEL, 'transformer'));
  const blocks: GgufTensor[] = [];
  const numbers: Record<string, RawTensor> = {};
  const shapes: Record<string, readonly number[]> = {};
  for (const { name, shape } of stored.entries()) {
    const values = stored.takeFloat32(name, shape);
    const columns = sizeOf(shape.slice(1));
    if (shape.length === 1 || columns % BLOCK !== 0) {
      blocks.push({ name, shape, type: F32, data: bytesOf(values) });
      numbers[name] = f32(shape, [...values]);
      continue;
    }
    const data = encodeQ8(values);
    blocks.push({ name, shape: [shape[0]!, columns], type: Q8_0, data });
    shapes[`comfy.gguf.orig_shape.${name}`] = shape;
    numbers[name] = f32(shape, decodeQ8(data));
  }
  return { gguf: buildGguf(blocks, shapes), numbers: buildSafetensors(numbers) };
}

/** The numbers in blocks of Q8_0 with scales that are powers of two: they fit bf16. */
function decodeQ8(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: (bytes.length / 34) * BLOCK }, (_, i) => {
    const block = Math.floor(i / BLOCK) * 34;
    return view.getInt8(block + 2 + (i % BLOCK)) * 2 ** ((view.getUint16(block, true) >> 10) - 15);
  });
}
