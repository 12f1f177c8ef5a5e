import { describe, expect, test } from 'vitest';
import { parseSafetensorsHeader } from '../../../src/weights/files/safetensors-header.ts';
import { layOutFile, storedTypeOf } from '../../../src/weights/files/safetensors-writer.ts';

describe('a laid-out file', () => {
  const tensors = [
    { name: 'b', storedType: 'F8_E4M3', shape: [3] },
    { name: 'z', storedType: 'BF16', shape: [2, 2] },
    { name: 'a', storedType: 'BF16', shape: [1] },
    { name: 'ids', storedType: 'I64', shape: [2] },
    { name: 'empty', storedType: 'F32', shape: [0, 4] },
  ];
  const { header, offsets, byteLength } = layOutFile(tensors, { format: 'pt' });

  test('is what the reader takes it for, wide elements first', () => {
    const read = parseSafetensorsHeader(header.subarray(8), byteLength, 'x');
    expect([...read.metadata]).toEqual([['format', 'pt']]);
    expect([...read.tensors.keys()]).toEqual(['ids', 'empty', 'a', 'z', 'b']);
    for (const { name, storedType, shape } of tensors) {
      const byteOffset = offsets.get(name);
      expect(read.tensors.get(name)).toMatchObject({ storedType, shape, byteOffset });
    }
  });

  test('begins its data at a multiple of 8 and has no end of its own', () => {
    expect(header.length % 8).toBe(0);
    expect(byteLength).toBe(header.length + 16 + 0 + 2 + 8 + 3);
  });

  test('has no metadata unless there is some', () => {
    const bare = layOutFile([], {}).header;
    expect(Buffer.from(bare.subarray(8)).toString().trim()).toBe('{}');
  });

  test('of an unknown type is our own mistake', () => {
    const strange = [{ name: 'x', storedType: 'F7', shape: [1] }];
    expect(() => layOutFile(strange, {})).toThrow(/type expected .*BF16.*, got F7/);
  });
});

test('tensor types have names in the format', () => {
  expect([storedTypeOf('f8e4m3'), storedTypeOf('bf16')]).toEqual(['F8_E4M3', 'BF16']);
});
