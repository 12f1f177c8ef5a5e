import { describe, expect, it } from 'vitest';
import { FramePackError } from '../../../src/errors.ts';
import {
  headerByteLength,
  MAX_HEADER_BYTES,
  parseSafetensorsHeader,
  type WeightFileHeader,
} from '../../../src/weights/files/safetensors-header.ts';
import { buildSafetensors, f32, frameFile } from '../../build-safetensors.ts';

const FILE = 'a.safetensors';

function parse(file: Uint8Array, fileBytes: number = file.length): WeightFileHeader {
  const length = headerByteLength(file.subarray(0, 8), fileBytes, FILE);
  return parseSafetensorsHeader(file.subarray(8, 8 + length), fileBytes, FILE);
}

function header(text: string, payloadBytes = 0): () => WeightFileHeader {
  return () => parse(frameFile(text, new Uint8Array(payloadBytes)));
}

const EMPTY_ENTRY = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
const tensor = (dtype: string, shape: string, offsets: string) =>
  `{"x":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;

function errorOf(body: () => unknown): FramePackError {
  try {
    body();
  } catch (error) {
    if (error instanceof FramePackError) return error;
    throw error;
  }
  throw new Error('expected a FramePackError');
}

function lengthField(length: bigint): Uint8Array {
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, length, true);
  return prefix;
}

describe('length field', () => {
  it.each([0, 1, 7])('refuses a file of %i bytes', (bytes) => {
    expect(errorOf(() => parse(new Uint8Array(bytes))).code).toBe('ERR_CHECKPOINT');
  });

  it.each([0n, 1n, 93n, 2n ** 63n, 2n ** 64n - 1n, 100_000_001n])(
    'refuses %i of 100 bytes',
    (length) => {
      const file = new Uint8Array(100);
      file.set(lengthField(length));
      expect(errorOf(() => parse(file)).code).toBe('ERR_CHECKPOINT');
    },
  );

  it('accepts a header that fills the file, refuses one byte more', () => {
    expect(headerByteLength(lengthField(92n), 100, FILE)).toBe(92);
    expect(() => headerByteLength(lengthField(93n), 100, FILE)).toThrow(
      'a.safetensors: header length expected at most 92 bytes, got 93',
    );
  });

  it('caps the header however large the file is', () => {
    const huge = 2 ** 40;
    expect(headerByteLength(lengthField(BigInt(MAX_HEADER_BYTES)), huge, FILE)).toBe(100_000_000);
    expect(() => headerByteLength(lengthField(100_000_001n), huge, FILE)).toThrow(
      'at most 100000000',
    );
  });

  it('refuses a file of 8 bytes with an empty header', () => {
    expect(() => parse(new Uint8Array(8))).toThrow('expected "{" as its first byte, got no byte');
  });
});

describe('header text', () => {
  it('reads tensors and metadata, with trailing spaces', () => {
    const file = buildSafetensors({ a: f32([2], [1, 2]), b: f32([], [3]) }, { format: 'pt' });
    const { tensors, metadata } = parse(file);
    const dataOffset = file.length - 12;
    expect([...tensors.values()]).toEqual([
      {
        name: 'a',
        storedType: 'F32',
        dtype: 'f32',
        shape: [2],
        byteOffset: dataOffset,
        byteLength: 8,
      },
      {
        name: 'b',
        storedType: 'F32',
        dtype: 'f32',
        shape: [],
        byteOffset: dataOffset + 8,
        byteLength: 4,
      },
    ]);
    expect(metadata.get('format')).toBe('pt');
    expect(parse(frameFile('{}   ')).tensors.size).toBe(0);
  });

  it.each([
    ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'expected UTF-8'],
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), 'expected "{"'],
    ['a leading space', ' {}', 'expected "{"'],
    ['an array', '[]', 'expected "{"'],
    ['no JSON', '{nonsense', 'a key in double quotes'],
    ['a repeated tensor', `{"x":${EMPTY_ENTRY},"x":${EMPTY_ENTRY}}`, '"x" is repeated'],
    [
      'metadata that is no object',
      '{"__metadata__":[]}',
      '__metadata__ expected an object of strings',
    ],
    [
      'metadata that is no text',
      '{"__metadata__":{"a":1}}',
      '__metadata__ expected an object of strings',
    ],
    ['a tensor that is no object', '{"x":1}', 'tensor x expected an object, got 1'],
    ['a tensor without fields', '{"x":{}}', 'tensor x expected a known dtype, got nothing'],
    [
      'an unknown field',
      '{"x":{"file":"y"}}',
      'expected only dtype, shape and data_offsets, got "file"',
    ],
  ])('refuses %s', (_, text, message) => {
    const error = errorOf(() => parse(frameFile(text)));
    expect(error.code).toBe('ERR_CHECKPOINT');
    expect(error.message).toContain(message);
    expect(error.message).toContain(FILE);
  });

  it('treats __proto__ and constructor as names', () => {
    const { tensors } = header(`{"__proto__":${EMPTY_ENTRY},"constructor":${EMPTY_ENTRY}}`)();
    expect([...tensors.keys()]).toEqual(['__proto__', 'constructor']);
  });
});

describe('size', () => {
  it('reads a million tensors in seconds', () => {
    const entry = '{"dtype":"U8","shape":[1],"data_offsets":';
    let text = '{';
    for (let i = 0; i < 1_000_000; i++)
      text += `${i === 0 ? '' : ','}"t${i}":${entry}[${i},${i + 1}]}`;
    const bytes = new TextEncoder().encode(`${text}}`);
    const start = process.cpuUsage();
    const { tensors } = parseSafetensorsHeader(bytes, 8 + bytes.length + 1_000_000, FILE);
    const { user, system } = process.cpuUsage(start);
    expect(tensors.size).toBe(1_000_000);
    expect((user + system) / 1e6).toBeLessThan(10);
  }, 60_000);
});

describe('offsets and shapes', () => {
  it.each([
    ['reversed', tensor('U8', '[1]', '[1,0]'), 1, 'data_offsets in rising order, got [1,0]'],
    ['one offset', tensor('U8', '[1]', '[0]'), 1, 'two data_offsets'],
    ['beyond the end', tensor('U8', '[2]', '[0,2]'), 1, 'the file is cut off'],
    ['tail bytes', tensor('U8', '[1]', '[0,1]'), 2, 'tensors expected to cover'],
    ['a gap at the start', tensor('U8', '[1]', '[1,2]'), 2, 'leaves a gap'],
    ['one byte too few', tensor('F32', '[2]', '[0,7]'), 7, '8 bytes for F32 [2], got 7'],
    ['one byte too many', tensor('F32', '[2]', '[0,9]'), 9, '8 bytes for F32 [2], got 9'],
    [
      'a product that wraps to 0',
      tensor('U8', '[4294967296,4294967296]', '[0,0]'),
      0,
      'whole bytes',
    ],
    ['a larger product', tensor('F32', '[2147483648,2147483648,4]', '[0,0]'), 0, 'whole bytes'],
    [
      'an overflow hidden by a zero',
      tensor('U8', '[9007199254740991,4,0]', '[0,0]'),
      0,
      'whole bytes',
    ],
    ['nine dimensions', tensor('U8', '[1,1,1,1,1,1,1,1,1]', '[0,1]'), 1, 'at most 8 dimensions'],
    ['an inexact extent', tensor('U8', '[9007199254740993]', '[0,1]'), 1, 'unsigned integer'],
    ['a text extent', tensor('U8', '["1"]', '[0,1]'), 1, 'at most 8 dimensions'],
    ['an unknown dtype', tensor('F7', '[1]', '[0,1]'), 1, 'a known dtype, got "F7"'],
    ['half a byte', tensor('F4', '[3]', '[0,1]'), 1, 'whole bytes'],
  ])('refuses %s', (_, text, payloadBytes, message) => {
    const error = errorOf(header(text, payloadBytes));
    expect(error.code).toBe('ERR_CHECKPOINT');
    expect(error.message).toContain(message);
  });

  it('refuses overlap and gaps between tensors', () => {
    const pair = (second: string) =>
      `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":${second}}}`;
    expect(header(pair('[1,3]'), 3)).toThrow('tensor b expected data from byte');
    expect(header(pair('[1,3]'), 3)).toThrow('overlaps the tensor before it');
    expect(header(pair('[0,2]'), 2)).toThrow('overlaps');
    expect(header(pair('[3,5]'), 5)).toThrow('leaves a gap');
    expect(header(pair('[2,4]'), 4)().tensors.size).toBe(2);
  });

  it('accepts scalars, empty tensors and types without a tensor', () => {
    expect(header(tensor('F32', '[]', '[0,4]'), 4)().tensors.get('x')?.shape).toEqual([]);
    expect(header(tensor('F32', '[0]', '[0,0]'))().tensors.get('x')?.byteLength).toBe(0);
    expect(header(tensor('F32', '[3,0,2]', '[0,0]'))().tensors.get('x')?.byteLength).toBe(0);
    expect(header(tensor('F4', '[4]', '[0,2]'), 2)().tensors.get('x')?.dtype).toBeNull();
    expect(header(tensor('F64', '[1]', '[0,8]'), 8)().tensors.get('x')?.dtype).toBeNull();
  });

  it('carries the tensor and the two sizes as details', () => {
    expect(errorOf(header(tensor('F32', '[2]', '[0,7]'), 7)).details).toEqual({
      file: FILE,
      tensor: 'x',
      expected: '8 bytes for F32 [2]',
      found: '7',
    });
  });
});

describe('mutation', () => {
  it('never fails with anything but a FramePackError', () => {
    const valid = buildSafetensors(
      { 'a.weight': f32([2, 2], [1, 2, 3, 4]), 'a.bias': f32([2], [5, 6]), empty: f32([0], []) },
      { format: 'pt' },
    );
    const random = xorshift(12345);
    let accepted = 0;
    for (let round = 0; round < 100_000; round++) {
      const file = mutate(valid, random);
      try {
        const { tensors } = parse(file);
        for (const { byteOffset, byteLength } of tensors.values()) {
          expect(byteOffset + byteLength).toBeLessThanOrEqual(file.length);
        }
        accepted += 1;
      } catch (error) {
        if (!(error instanceof FramePackError)) throw error;
      }
    }
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(90_000);
  }, 60_000);
});

function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const FRAGMENTS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '-1',
  '1e9',
  '9007199254740993',
  'F32',
  'null',
  '\\',
];

function mutate(valid: Uint8Array, random: (below: number) => number): Uint8Array {
  const file = [...valid];
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(file.length);
    switch (random(5)) {
      case 0:
        file[at] = random(256);
        break;
      case 1:
        file.splice(at, 1 + random(8));
        break;
      case 2:
        file.splice(at, 0, ...new TextEncoder().encode(FRAGMENTS[random(FRAGMENTS.length)]));
        break;
      case 3:
        file.splice(at, 0, ...file.slice(at, at + 1 + random(32)));
        break;
      default:
        file[random(8)] = random(256);
    }
    if (file.length === 0) file.push(0);
  }
  return Uint8Array.from(file);
}
