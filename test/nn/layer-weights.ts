import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { buildSafetensors, f32 } from '../build-safetensors.ts';

/** A checkpoint with normal values for the given names and shapes; `use` runs while its file exists. */
export async function withWeights<T>(
  device: Device,
  shapes: Readonly<Record<string, readonly number[]>>,
  use: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  const generator = new Generator(11);
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = generator.nextNormals(Math.max(size, 16)).subarray(0, size);
    return [name, f32(shape, [...values])] as const;
  });
  const folder = mkdtempSync(join(tmpdir(), 'framepack-layer-'));
  try {
    const path = join(folder, 'layer.safetensors');
    writeFileSync(path, buildSafetensors(Object.fromEntries(tensors)));
    return await use(await Checkpoint.open(device, path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
