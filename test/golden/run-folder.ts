import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDitCase, runDitCase } from './cases/dit-cases.ts';
import { ENCODER_CASES, type EncoderCase } from './cases/encoder-cases.ts';
import { isEndToEndCase, runEndToEndCase } from './cases/end-to-end-cases.ts';
import { runResampleCases, runTokenizerCases, TOKENIZER_FILE } from './cases/exact-cases.ts';
import { isLoraCase, runLoraCase } from './cases/lora-cases.ts';
import { runVaeCases } from './cases/vae-cases.ts';
import type { GoldenContext } from './context.ts';

/** Runs every case of a golden folder into the report; a manifest entry of unknown kind is an error. */
export async function runGoldenFolder(context: GoldenContext): Promise<void> {
  const manifest = readManifest(context.folder);
  for (const [name, entry] of Object.entries(manifest)) {
    if (isEndToEndCase(entry)) await runEndToEndCase(context, name, entry);
    else if (isLoraCase(entry)) await runLoraCase(context, name, entry);
    else if (isDitCase(entry)) await runDitCase(context, name, entry);
    else if (name === 'vae') await runVaeCases(context, entry as EncoderCase);
    else if (name === 'resample') runResampleCases(context);
    else if (Object.hasOwn(ENCODER_CASES, name)) {
      await ENCODER_CASES[name]!(context, name, entry as EncoderCase);
    } else throw new Error(`${context.folder}/manifest.json: cannot run an entry like "${name}"`);
  }
  if (existsSync(join(context.folder, TOKENIZER_FILE))) await runTokenizerCases(context);
}

function readManifest(folder: string): Record<string, object> {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, object>;
}
