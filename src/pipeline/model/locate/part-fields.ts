import { existsSync } from 'node:fs';
import { FramePackError } from '../../../errors.ts';
import type { ModelPart, PartPaths } from '../../../weights/model-folder.ts';

/** Networks from places of their own, each a safetensors or GGUF file, the index of shards, or a folder. */
export interface ModelParts {
  readonly transformer?: string | undefined;
  readonly vae?: string | undefined;
  /** The Llama. */
  readonly textEncoder?: string | undefined;
  /** The text tower of CLIP. */
  readonly clip?: string | undefined;
  /** The vision tower of SigLIP. */
  readonly imageEncoder?: string | undefined;
}

/** What a request calls the parts. */
const PART_FIELDS: Readonly<Record<keyof ModelParts, ModelPart>> = {
  transformer: 'transformer',
  vae: 'vae',
  textEncoder: 'text_encoder',
  clip: 'text_encoder_2',
  imageEncoder: 'image_encoder',
};

/** The command line's option for a part; that of a tokenizer is its encoder's, beside which it is found. */
export function partFlag(part: ModelPart): string {
  const encoders: Partial<Record<ModelPart, ModelPart>> = {
    tokenizer: 'text_encoder',
    tokenizer_2: 'text_encoder_2',
  };
  const network = encoders[part] ?? part;
  const [field = network] =
    Object.entries(PART_FIELDS).find(([, value]) => value === network) ?? [];
  return `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The parts that were given, by their names in a model.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` for a path at which there is nothing.
 */
export function givenParts(parts: ModelParts): PartPaths {
  const given = Object.entries(PART_FIELDS).flatMap(([field, part]) => {
    const path = parts[field as keyof ModelParts];
    return path === undefined ? [] : [[part, path] as const];
  });
  for (const [part, path] of given) {
    if (existsSync(path)) continue;
    const message = `checkpoint: ${partFlag(part)} expected a file or a folder, got nothing at ${path}`;
    throw new FramePackError('ERR_CHECKPOINT', message, { part, path });
  }
  return Object.fromEntries(given);
}
