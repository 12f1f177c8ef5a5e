import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenizersBeside } from '../../../../src/pipeline/model/locate/tokenizer-folder.ts';
import { TINY_MODEL } from '../../../models/tiny-framepack.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const touch = (...path: string[]): void => {
  mkdirSync(join(folder, ...path, '..'), { recursive: true });
  writeFileSync(join(folder, ...path), '');
};

test('those beside the folders of encoders', () => {
  const encoders = {
    text_encoder: join(TINY_MODEL, 'text_encoder'),
    text_encoder_2: join(TINY_MODEL, 'text_encoder_2', 'model.safetensors'),
  };
  expect(tokenizersBeside(encoders)).toEqual({
    tokenizer: join(TINY_MODEL, 'tokenizer'),
    tokenizer_2: join(TINY_MODEL, 'tokenizer_2'),
  });
});

test('the nearest wins, and half of one is none', () => {
  touch('llama', 'model.safetensors');
  const encoders = { text_encoder: join(folder, 'llama', 'model.safetensors') };
  expect(tokenizersBeside(encoders)).toEqual({});
  touch('tokenizer', 'tokenizer.json');
  expect(tokenizersBeside(encoders)).toEqual({ tokenizer: join(folder, 'tokenizer') });
  touch('llama', 'tokenizer', 'tokenizer.json');
  expect(tokenizersBeside(encoders)).toEqual({ tokenizer: join(folder, 'llama', 'tokenizer') });
  touch('llama', 'tokenizer.json');
  expect(tokenizersBeside(encoders)).toEqual({ tokenizer: join(folder, 'llama') });
  touch('clip', 'vocab.json');
  const clip = { text_encoder_2: join(folder, 'clip') };
  expect(tokenizersBeside(clip)).toEqual({});
  touch('clip', 'merges.txt');
  expect(tokenizersBeside(clip)).toEqual({ tokenizer_2: join(folder, 'clip') });
});
