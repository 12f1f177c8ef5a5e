import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkLayout } from '../../../src/weights/lora/lora-modules.ts';
import { buildSafetensors, f32, type RawTensor } from '../../build-safetensors.ts';

/** A network of one double and one single block with 4 channels, by shapes alone. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'x_embedder.proj.weight': [4, 2, 1, 2, 2],
  'norm_out.linear.weight': [8, 4],
  'norm_out.linear.bias': [8],
  'transformer_blocks.0.attn.to_q.weight': [4, 4],
  'transformer_blocks.0.attn.to_k.weight': [4, 4],
  'transformer_blocks.0.attn.to_v.weight': [4, 4],
  'transformer_blocks.0.attn.norm_q.weight': [2],
  'transformer_blocks.0.ff.net.0.proj.weight': [16, 4],
  'single_transformer_blocks.0.attn.to_q.weight': [4, 4],
  'single_transformer_blocks.0.attn.to_k.weight': [4, 4],
  'single_transformer_blocks.0.attn.to_v.weight': [4, 4],
  'single_transformer_blocks.0.proj_mlp.weight': [16, 4],
};

/** Names and shapes of a small transformer. */
export const NETWORK: NetworkLayout = {
  names: () => Object.keys(SHAPES),
  has: (name) => Object.hasOwn(SHAPES, name),
  entryOf: (name) => ({
    name,
    ...{ storedType: 'F32', dtype: 'f32', shape: SHAPES[name]!, byteOffset: 0, byteLength: 0 },
  }),
};

/** An f32 tensor of one value throughout. */
export function filled(shape: readonly number[], value = 1): RawTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return f32(shape, new Array<number>(size).fill(value));
}

/** Both factors of a module. */
export function pair(
  module: string,
  [rows, columns, rank]: readonly [number, number, number],
): Record<string, RawTensor> {
  return {
    [`${module}.lora_down.weight`]: filled([rank, columns]),
    [`${module}.lora_up.weight`]: filled([rows, rank]),
  };
}

/** Writes a LoRA into a folder and gives its path. */
export function writeLora(
  folder: string,
  tensors: Readonly<Record<string, RawTensor>>,
  metadata?: Readonly<Record<string, string>>,
): string {
  const path = join(folder, 'test.lora.safetensors');
  writeFileSync(path, buildSafetensors(tensors, metadata));
  return path;
}
