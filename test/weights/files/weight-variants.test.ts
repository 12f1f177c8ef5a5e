import { describe, expect, it } from 'vitest';
import { chooseFiles, variantsAmong } from '../../../src/weights/files/weight-variants.ts';

const PLAIN = 'model.safetensors';
const HALF = 'model.fp16.safetensors';
const shards = (name: (place: string) => string): string[] =>
  ['00001-of-00002', '00002-of-00002'].map(name);

describe('chooseFiles', () => {
  it.each<[string, string[], string, { indexes?: string[]; files?: string[] }]>([
    ['the plain one', [HALF, PLAIN], '', { files: [PLAIN] }],
    ['the wanted one', [HALF, PLAIN], 'fp16', { files: [HALF] }],
    ['the only one', [HALF], '', { files: [HALF] }],
    ['the plain one where the wanted one is not there', [PLAIN], 'fp16', { files: [PLAIN] }],
    ['nothing hidden', ['._model.safetensors', '.DS_Store', PLAIN], '', { files: [PLAIN] }],
    [
      'every plain file',
      ['a.safetensors', 'b.safetensors'],
      '',
      {
        files: ['a.safetensors', 'b.safetensors'],
      },
    ],
    [
      'shards without an index',
      shards((at) => `m-${at}.safetensors`),
      '',
      {
        files: shards((at) => `m-${at}.safetensors`),
      },
    ],
    [
      'the wanted shards, word first',
      [PLAIN, ...shards((at) => `model.fp16-${at}.safetensors`)],
      'fp16',
      { files: shards((at) => `model.fp16-${at}.safetensors`) },
    ],
    [
      'the wanted shards, word last',
      [PLAIN, ...shards((at) => `model-${at}.fp16.safetensors`)],
      'fp16',
      { files: shards((at) => `model-${at}.fp16.safetensors`) },
    ],
    [
      'an index rather than its shards',
      ['model.safetensors.index.json', 'model-00001-of-00001.safetensors', HALF],
      '',
      { indexes: ['model.safetensors.index.json'] },
    ],
    [
      'the index of the wanted one',
      [PLAIN, 'model.safetensors.index.fp16.json', 'model.fp16-00001-of-00001.safetensors'],
      'fp16',
      { indexes: ['model.safetensors.index.fp16.json'] },
    ],
  ])('takes %s', (_, names, variant, { indexes = [], files = [] }) => {
    expect(chooseFiles(names, variant, 'f')).toEqual({ indexes, files });
  });

  it('does not choose between variants without a plain one', () => {
    const names = [HALF, 'model.bf16.safetensors'];
    expect(() => chooseFiles(names, '', 'f')).toThrow('f: variant expected bf16 or fp16, got none');
    expect(() => chooseFiles(names, 'fp8', 'f')).toThrow('expected bf16 or fp16, got fp8');
  });
});

describe('variantsAmong', () => {
  it('lists the words once', () => {
    expect(variantsAmong([PLAIN, HALF, 'x.fp16.safetensors', 'y.bf16.safetensors'])).toEqual([
      'bf16',
      'fp16',
    ]);
    expect(variantsAmong([PLAIN, '.a.fp16.safetensors'])).toEqual([]);
  });
});
