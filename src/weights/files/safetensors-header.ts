import { FramePackError } from '../../errors.ts';
import type { DType } from '../../tensor/dtype.ts';
import { type JsonValue, scanJsonMembers } from './json-scanner.ts';

/** Largest header that is read; the limit of the reference reader. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bytes in front of the header: its length, little endian. */
export const LENGTH_FIELD_BYTES = 8;

const MAX_RANK = 8;

/** Width of every element type of the format, and the type it becomes here (null: listed but not readable). */
const STORED_TYPES: ReadonlyMap<string, { bits: number; dtype: DType | null }> = new Map([
  ['F32', { bits: 32, dtype: 'f32' }],
  ['F16', { bits: 16, dtype: 'f16' }],
  ['BF16', { bits: 16, dtype: 'bf16' }],
  ['F8_E4M3', { bits: 8, dtype: 'f8e4m3' }],
  ['I32', { bits: 32, dtype: 'i32' }],
  ['U8', { bits: 8, dtype: 'u8' }],
  ['I64', { bits: 64, dtype: null }],
  ['U64', { bits: 64, dtype: null }],
  ['F64', { bits: 64, dtype: null }],
  ['C64', { bits: 64, dtype: null }],
  ['U32', { bits: 32, dtype: null }],
  ['I16', { bits: 16, dtype: null }],
  ['U16', { bits: 16, dtype: null }],
  ['I8', { bits: 8, dtype: null }],
  ['BOOL', { bits: 8, dtype: null }],
  ['F8_E5M2', { bits: 8, dtype: 'f16' }],
  ['F8_E8M0', { bits: 8, dtype: null }],
  ['F6_E2M3', { bits: 6, dtype: null }],
  ['F6_E3M2', { bits: 6, dtype: null }],
  ['F4', { bits: 4, dtype: null }],
]);

/** Where one tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  /** Type name as the file spells it, such as `BF16`. */
  readonly storedType: string;
  /** The tensor type it is read as, or null when no tensor type matches. */
  readonly dtype: DType | null;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A validated header: the tensors lie in the file, without overlap. */
export interface WeightFileHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Validates the length field, before any buffer of that length is allocated.
 *
 * @param prefix - the first bytes of the file: 8, or fewer when the file is shorter.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when the header is longer than the limit or the file.
 */
export function headerByteLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (prefix.length < LENGTH_FIELD_BYTES || fileBytes < LENGTH_FIELD_BYTES) {
    throw invalid(
      file,
      `file size expected at least ${LENGTH_FIELD_BYTES} bytes, got ${fileBytes}`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_FIELD_BYTES);
  const declared = view.getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_FIELD_BYTES);
  if (declared > BigInt(limit)) {
    throw invalid(file, `header length expected at most ${limit} bytes, got ${declared}`);
  }
  return Number(declared);
}

/**
 * Parses and validates the header of a safetensors file. Nothing in it is trusted: names, types, shapes and offsets
 * are checked against each other and against the real size of the file, which the tensors cover without gap or overlap.
 *
 * @param header - the JSON bytes behind the length field.
 * @param fileBytes - size of the whole file.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file, the tensor, what was expected and what was found.
 * @see safetensors format, https://github.com/huggingface/safetensors
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  fileBytes: number,
  file: string,
): WeightFileHeader {
  const dataOffset = LENGTH_FIELD_BYTES + header.length;
  const options = { source: `header of ${file}`, numbers: 'unsigned' } as const;
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  scanJsonMembers(decodeUtf8(header, file), options, (name, value) => {
    if (name === '__metadata__') metadata = readMetadata(value, file);
    else tensors.set(name, readEntry(name, value, dataOffset, file));
  });
  checkCoverage(tensors, dataOffset, fileBytes, file);
  return { tensors, metadata };
}

function decodeUtf8(header: Uint8Array, file: string): string {
  if (header[0] !== 0x7b) {
    throw invalid(file, `header expected "{" as its first byte, got ${header[0] ?? 'no byte'}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw invalid(file, 'header expected UTF-8, got other bytes', {}, cause);
  }
}

function readMetadata(value: JsonValue, file: string): ReadonlyMap<string, string> {
  if (value === null) return new Map();
  const isTextMap =
    value instanceof Map && [...value.values()].every((item) => typeof item === 'string');
  if (!isTextMap) throw invalid(file, '__metadata__ expected an object of strings');
  return value as ReadonlyMap<string, string>;
}

function readEntry(name: string, value: JsonValue, dataOffset: number, file: string): TensorEntry {
  const fail = (expected: string, found: unknown): never => {
    throw invalid(file, `tensor ${name} expected ${expected}, got ${describe(found)}`, {
      tensor: name,
      expected,
      found: describe(found),
    });
  };
  if (!(value instanceof Map)) return fail('an object', value);
  for (const key of value.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') {
      fail('only dtype, shape and data_offsets', key);
    }
  }
  const storedType = value.get('dtype');
  const shape = value.get('shape');
  const offsets = value.get('data_offsets');
  const type = typeof storedType === 'string' ? STORED_TYPES.get(storedType) : undefined;
  if (type === undefined) return fail('a known dtype', storedType);
  if (!isIntegerList(shape) || shape.length > MAX_RANK) {
    return fail(`a shape of at most ${MAX_RANK} dimensions`, shape);
  }
  if (!isIntegerList(offsets) || offsets.length !== 2) return fail('two data_offsets', offsets);
  const [begin, end] = offsets as [number, number];
  if (begin > end) fail('data_offsets in rising order', offsets);
  const byteLength = storedBytes(shape, type.bits);
  if (byteLength === null) return fail('a size in whole bytes, at most 2^53 - 1 bits', shape);
  if (end - begin !== byteLength) {
    fail(`${byteLength} bytes for ${storedType} [${shape.join(', ')}]`, end - begin);
  }
  const byteOffset = dataOffset + begin;
  return {
    name,
    storedType: storedType as string,
    dtype: type.dtype,
    // The scanner's array has room to grow, which would be kept for every tensor.
    shape: shape.slice(),
    byteOffset,
    byteLength,
  };
}

function isIntegerList(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** Bits of one element of a type of the format. */
export function storedBits(storedType: string): number {
  const type = STORED_TYPES.get(storedType);
  if (type !== undefined) return type.bits;
  const message = `safetensors: type expected ${[...STORED_TYPES.keys()].join(', ')}, got ${storedType}`;
  throw new FramePackError('ERR_INTERNAL', message);
}

/** Bytes of a tensor of a type of the format; its size must be a whole number of them. */
export function storedByteLength(storedType: string, shape: readonly number[]): number {
  return storedBytes(shape, storedBits(storedType))!;
}

/** Bytes of a shape, or null when the count overflows or is no whole number of bytes. */
function storedBytes(shape: readonly number[], bits: number): number | null {
  // A zero dimension must not hide an overflow of the others, so it is left out of the checked product.
  let product = bits;
  for (const extent of shape) {
    if (extent > 0) product *= extent;
    if (!Number.isSafeInteger(product)) return null;
  }
  if (shape.includes(0)) return 0;
  return product % 8 === 0 ? product / 8 : null;
}

function checkCoverage(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataOffset: number,
  fileBytes: number,
  file: string,
): void {
  const inOrder = [...tensors.values()].sort(
    (a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength,
  );
  let covered = dataOffset;
  for (const { name, byteOffset, byteLength } of inOrder) {
    if (byteOffset !== covered) {
      const fault = byteOffset < covered ? 'overlaps the tensor before it' : 'leaves a gap';
      throw invalid(
        file,
        `tensor ${name} expected data from byte ${covered}, got ${byteOffset}: it ${fault}`,
        { tensor: name, expected: covered, found: byteOffset },
      );
    }
    covered += byteLength;
    if (covered > fileBytes) {
      throw invalid(
        file,
        `tensor ${name} expected to end within ${fileBytes} bytes, got ${covered}: the file is cut off`,
        { tensor: name, expected: fileBytes, found: covered },
      );
    }
  }
  if (covered !== fileBytes) {
    throw invalid(file, `tensors expected to cover ${fileBytes} bytes, got ${covered}`, {
      expected: fileBytes,
      found: covered,
    });
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Map) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

function invalid(
  file: string,
  fault: string,
  details: object = {},
  cause?: unknown,
): FramePackError {
  return new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${file}: ${fault}`,
    { file, ...details },
    cause,
  );
}
