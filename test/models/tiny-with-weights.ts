import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TINY_MODEL } from './tiny-framepack.ts';

const WEIGHTS = 'diffusion_pytorch_model.safetensors';

/** Copies the small model into a new folder, with other weights of its transformer. */
export function tinyWithWeights(folder: string, weights: string): string {
  for (const file of readdirSync(TINY_MODEL, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const to = join(folder, file.parentPath.slice(TINY_MODEL.length));
    mkdirSync(to, { recursive: true });
    copyFileSync(join(file.parentPath, file.name), join(to, file.name));
  }
  copyFileSync(weights, join(folder, 'transformer', WEIGHTS));
  return folder;
}
