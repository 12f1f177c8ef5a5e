import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import { clipFiles, llama3Files } from '../tokenizers/vocabularies.ts';
import { officialShapes } from './official-shapes.ts';
import { storedAs } from './public-layouts.ts';
import { writeShards, writeSparse } from './sparse-file.ts';

/**
 * Writes the released model into an empty folder: true configurations, tokenizers, names, shapes and types, and holes
 * where the 40 GB of its weights belong.
 */
export async function writeOfficialFolder(folder: string): Promise<void> {
  for (const [part, config] of Object.entries(OFFICIAL_CONFIGS)) {
    writeFiles(join(folder, part), { 'config.json': JSON.stringify(config) });
  }
  writeFiles(join(folder, 'tokenizer'), await llama3Files());
  writeFiles(join(folder, 'tokenizer_2'), clipFiles());
  const shapes = officialShapes();
  const within = (part: string): string => join(folder, part);
  writeShards(within('transformer'), 'diffusion', storedAs('BF16', shapes.transformer), 10e9);
  writeShards(within('text_encoder'), 'model', storedAs('F16', shapes.text_encoder), 5e9);
  const single = (part: string): string => join(folder, part, 'model.safetensors');
  writeSparse(single('text_encoder_2'), storedAs('F16', shapes.text_encoder_2));
  writeSparse(single('image_encoder'), storedAs('BF16', shapes.image_encoder));
  writeSparse(single('vae'), storedAs('F16', shapes.vae));
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
