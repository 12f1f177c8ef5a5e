import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseGgufHeader } from '../../../src/weights/files/gguf-header.ts';
import type { WeightFileHeader } from '../../../src/weights/files/safetensors-header.ts';
import { buildGguf, type GgufTensor } from '../../build-gguf.ts';

const SMALL = new URL('../../fixtures/golden/ggml/small.gguf', import.meta.url);

function parse(bytes: Uint8Array, fileBytes: number = bytes.length): WeightFileHeader | null {
  return parseGgufHeader(bytes, fileBytes, 'm.gguf');
}

const f32 = (name: string, shape: readonly number[]): GgufTensor => ({
  name,
  shape,
  type: 0,
  data: new Uint8Array(4 * shape.reduce((product, extent) => product * extent, 1)),
});

describe('parseGgufHeader', () => {
  it('reads what gguf-py writes', () => {
    const bytes = readFileSync(SMALL);
    const { tensors, metadata } = parse(bytes)!;
    const found = [...tensors.values()].map(({ name, storedType, dtype, shape, byteLength }) => [
      name,
      storedType,
      dtype,
      shape,
      byteLength,
    ]);
    expect(found).toEqual([
      ['plain.f32', 'F32', 'f32', [3, 4], 48],
      ['plain.f16', 'F16', 'f16', [2, 2], 8],
      ['plain.bf16', 'BF16', 'bf16', [2, 2], 8],
      ['patch.weight', 'Q8_0', null, [2, 16, 1, 2, 2], 136],
      ['block.weight', 'Q4_K', null, [2, 512], 576],
    ]);
    const plain = tensors.get('plain.f32')!;
    const values = bytes.subarray(plain.byteOffset, plain.byteOffset + 48);
    expect([...new Float32Array(Uint8Array.from(values).buffer)].slice(0, 3)).toEqual([0, 1, 2]);
    expect(metadata.get('general.architecture')).toBe('framepack-test');
    expect(metadata.get('test.scale')).toBe('0.5');
    expect(metadata.get('test.flag')).toBe('true');
    expect(metadata.has('tokenizer.ggml.tokens')).toBe(false);
  });

  it('asks for more while the header is not complete, at any length', () => {
    const bytes = readFileSync(SMALL);
    const whole = parse(bytes)!;
    const first = Math.min(...[...whole.tensors.values()].map(({ byteOffset }) => byteOffset));
    let complete = first;
    for (let length = 4; length < first; length += 7) {
      if (parse(bytes.subarray(0, length), bytes.length) === null) continue;
      complete = Math.min(complete, length);
    }
    // Only the padding in front of the data may be missing.
    expect(first - complete).toBeLessThan(32);
  });
});

/** An empty file with other bytes from a position on. */
function patched(at: number, ...bytes: number[]): Uint8Array {
  const file = buildGguf([]);
  file.set(bytes, at);
  return file;
}

const DAMAGED: readonly (readonly [what: string, make: () => Uint8Array, message: string])[] = [
  ['an old version', () => patched(4, 1), 'version expected 2 or 3, got 1'],
  ['the other byte order', () => patched(4, 0, 0, 0, 3), 'got a file in the other byte order'],
  [
    'a count beyond reason',
    () => patched(14, 1),
    'number of tensors expected at most 1000000, got 281474976710656',
  ],
  ['a name twice', () => buildGguf([f32('a', [2]), f32('a', [2])]), 'tensor a expected once'],
  ['five axes', () => buildGguf([f32('a', [1, 1, 1, 1, 2])]), 'expected at most 4 axes, got 5'],
  [
    'an unknown type',
    () => buildGguf([{ ...f32('a', [2]), type: 99 }]),
    'Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, F32',
  ],
  [
    'a row of half a block',
    () => buildGguf([{ ...f32('a', [2, 48]), type: 8 }]),
    'tensor a expected rows of whole blocks of 32 in Q8_0, got [2, 48]',
  ],
  [
    'an overlap',
    () => buildGguf([f32('a', [16]), f32('b', [16])], {}, [0, 32]),
    'tensor b expected behind the one before it',
  ],
  [
    'an odd place',
    () => buildGguf([f32('a', [16])], {}, [8]),
    'tensor a expected at a multiple of 32, got 8',
  ],
  [
    'a shape of another size',
    () => buildGguf([f32('a', [4])], { 'comfy.gguf.orig_shape.a': [2, 3] }),
    'expected a shape of 4 elements, got [2, 3]',
  ],
  [
    'an alignment that is none',
    () => buildGguf([f32('a', [4])], { 'general.alignment': [3] }),
    'general.alignment expected a multiple of 8, got 3',
  ],
];

describe('parseGgufHeader refuses', () => {
  it.each(DAMAGED)('%s', (_, make, message) => {
    expect(() => parse(make())).toThrow(message);
  });

  it('a file that is cut off', () => {
    const bytes = buildGguf([f32('a', [64])]);
    expect(() => parse(bytes, bytes.length - 1)).toThrow('the file is cut off');
  });
});
