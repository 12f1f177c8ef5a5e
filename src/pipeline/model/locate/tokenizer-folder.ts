import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFolder, type ModelPart, type PartPaths } from '../../../weights/model-folder.ts';

/** The tokenizer of each text encoder, and the files by which its folder is known. */
const TOKENIZERS: readonly (readonly [
  encoder: ModelPart,
  tokenizer: ModelPart,
  files: readonly string[],
])[] = [
  ['text_encoder', 'tokenizer', ['tokenizer.json']],
  ['text_encoder_2', 'tokenizer_2', ['vocab.json', 'merges.txt']],
];

/** Tokenizers beside encoders: in their folders, or in folders `tokenizer` and `tokenizer_2` in or beside these. */
export function tokenizersBeside(encoders: PartPaths): PartPaths {
  const found = TOKENIZERS.flatMap(([encoder, tokenizer, files]) => {
    const path = encoders[encoder];
    if (path === undefined) return [];
    const folder = isFolder(path) ? path : dirname(path);
    const places = [folder, join(folder, tokenizer), join(dirname(folder), tokenizer)];
    const place = places.find((at) => files.every((file) => existsSync(join(at, file))));
    return place === undefined ? [] : [[tokenizer, place] as const];
  });
  return Object.fromEntries(found);
}
