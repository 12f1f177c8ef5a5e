import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSafetensors, f32, type RawTensor } from '../../build-safetensors.ts';

const WIDTH = 192;
const RANK = 4;

/** A matrix of numbers that look random and are always the same. */
function noise(rows: number, columns: number, seed: number): RawTensor {
  const values = Array.from({ length: rows * columns }, (_, i) => Math.sin((i + 1) * seed) / 4);
  return f32([rows, columns], values);
}

/** Writes a LoRA for the tiny checkpoint, in kohya's names, and gives its path. */
export function writeTinyLora(
  folder: string,
  seed: number,
  more: Readonly<Record<string, RawTensor>> = {},
): string {
  const modules = ['transformer_blocks_0_attn_to_v', 'single_transformer_blocks_2_attn_to_v'];
  const factors = modules.flatMap((module, index) => [
    [`lora_unet_${module}.lora_down.weight`, noise(RANK, WIDTH, seed + index)] as const,
    [`lora_unet_${module}.lora_up.weight`, noise(WIDTH, RANK, seed * 2 + index)] as const,
  ]);
  const path = join(folder, `style-${seed}.safetensors`);
  writeFileSync(path, buildSafetensors({ ...Object.fromEntries(factors), ...more }));
  return path;
}
