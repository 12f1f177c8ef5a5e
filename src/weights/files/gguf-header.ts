import { GGML_FORMATS, type GgmlFormat } from '../../ops/ggml.ts';
import type { DType } from '../../tensor/dtype.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { GgufReader } from './gguf-reader.ts';
import type { TensorEntry, WeightFileHeader } from './safetensors-header.ts';

/** The first bytes of a GGUF file. */
export const GGUF_MAGIC: Buffer = Buffer.from('GGUF');

/** Longest header that is read: vocabularies of 10^6 tokens fit. */
export const MAX_GGUF_HEADER_BYTES = 100_000_000;

const VERSIONS = [2, 3];
const MAX_ENTRIES = 1_000_000;
const MAX_RANK = 4;
const DEFAULT_ALIGNMENT = 32;
/** Under this key ComfyUI's converters keep the shape of a tensor that GGUF's four axes cannot hold. */
const ORIGINAL_SHAPE = 'comfy.gguf.orig_shape.';

/** How ggml stores a type, and the tensor type that it is (null: blocks, or nothing that is read). */
interface StoredType extends Omit<GgmlFormat, 'code'> {
  readonly name: string;
  readonly dtype: DType | null;
}

const plain = (name: string, bytes: number, dtype: DType | null): StoredType => ({
  name,
  elements: 1,
  bytes,
  dtype,
});
const block = (name: string, elements: number, bytes: number): StoredType => ({
  name,
  elements,
  bytes,
  dtype: null,
});

/** By their number in the file. Those of GGML_FORMATS are read, the other block formats only listed. */
const STORED_TYPES: ReadonlyMap<number, StoredType> = new Map([
  ...Object.entries(GGML_FORMATS).map(
    ([name, { code, elements, bytes }]) => [code, block(name, elements, bytes)] as const,
  ),
  [0, plain('F32', 4, 'f32')],
  [1, plain('F16', 2, 'f16')],
  [30, plain('BF16', 2, 'bf16')],
  [24, plain('I8', 1, null)],
  [25, plain('I16', 2, null)],
  [26, plain('I32', 4, 'i32')],
  [27, plain('I64', 8, null)],
  [28, plain('F64', 8, null)],
  [10, block('Q2_K', 256, 84)],
  [11, block('Q3_K', 256, 110)],
  [15, block('Q8_K', 256, 292)],
  [20, block('IQ4_NL', 32, 18)],
  [23, block('IQ4_XS', 256, 136)],
]);

/**
 * Parses and validates the header of a GGUF file of version 2 or 3. Nothing in it is trusted: counts, lengths, names,
 * types, shapes and offsets are checked against each other and against the real size of the file. Shapes come in the
 * order of PyTorch, the outermost axis first.
 *
 * Of the metadata, texts, numbers and short lists of numbers are kept; vocabularies are passed over.
 *
 * @param bytes - the beginning of the file.
 * @returns null when the header is longer than `bytes`.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file, what was expected and what was found.
 * @see GGUF format, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function parseGgufHeader(
  bytes: Uint8Array,
  fileBytes: number,
  file: string,
): WeightFileHeader | null {
  const reader = new GgufReader(bytes, file);
  reader.skip(GGUF_MAGIC.length);
  const version = reader.u32();
  if (reader.isShort) return null;
  if (!VERSIONS.includes(version)) {
    const isSwapped = version > 0xffff;
    const found = isSwapped ? 'a file in the other byte order' : `${version}`;
    throw reader.fault(`version expected ${VERSIONS.join(' or ')}, got ${found}`);
  }
  const numTensors = reader.count('number of tensors', MAX_ENTRIES);
  const numPairs = reader.count('number of metadata', MAX_ENTRIES);
  const metadata = readMetadata(reader, numPairs);
  const found = readTensors(reader, numTensors);
  if (reader.isShort) return null;
  const alignment = Number(metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT);
  if (!Number.isInteger(alignment) || alignment < 8 || alignment % 8 !== 0) {
    throw reader.fault(`general.alignment expected a multiple of 8, got ${alignment}`);
  }
  const dataOffset = Math.ceil(reader.position / alignment) * alignment;
  const tensors = new Map<string, TensorEntry>();
  for (const tensor of found) {
    tensors.set(tensor.name, entryOf(tensor, { metadata, dataOffset, alignment, reader }));
  }
  checkPlaces(tensors, fileBytes, reader);
  return { tensors, metadata };
}

function readMetadata(reader: GgufReader, count: number): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  const keys = new Set<string>();
  for (let i = 0; i < count && !reader.isShort; i++) {
    const key = reader.text();
    const value = reader.value();
    if (reader.isShort) break;
    if (keys.has(key)) throw reader.fault(`metadata ${key} expected once, got it twice`);
    keys.add(key);
    if (value !== null) metadata.set(key, value);
  }
  return metadata;
}

interface FoundTensor {
  readonly name: string;
  /** As the file has them: the innermost axis first. */
  readonly extents: readonly number[];
  readonly type: number;
  readonly offset: number;
}

function readTensors(reader: GgufReader, count: number): readonly FoundTensor[] {
  const tensors: FoundTensor[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count && !reader.isShort; i++) {
    const name = reader.text();
    const rank = reader.u32();
    if (reader.isShort) break;
    if (rank > MAX_RANK) {
      throw reader.fault(`tensor ${name} expected at most ${MAX_RANK} axes, got ${rank}`);
    }
    const limit = Number.MAX_SAFE_INTEGER;
    const extents = Array.from({ length: rank }, () => reader.count(`extent of ${name}`, limit));
    const [type, offset] = [reader.u32(), reader.count(`offset of ${name}`, limit)];
    if (reader.isShort) break;
    if (names.has(name)) throw reader.fault(`tensor ${name} expected once, got it twice`);
    names.add(name);
    tensors.push({ name, extents, type, offset });
  }
  return tensors;
}

interface HeaderContext {
  readonly metadata: ReadonlyMap<string, string>;
  readonly dataOffset: number;
  readonly alignment: number;
  readonly reader: GgufReader;
}

function entryOf(tensor: FoundTensor, context: HeaderContext): TensorEntry {
  const { name, extents, type, offset } = tensor;
  const { metadata, dataOffset, alignment, reader } = context;
  const stored = STORED_TYPES.get(type);
  if (stored === undefined) {
    const known = [...STORED_TYPES.values()].map((known) => known.name).join(', ');
    throw reader.fault(`tensor ${name} expected one of the types ${known}, got number ${type}`);
  }
  const size = sizeOf(extents);
  const row = extents[0] ?? 1;
  if (!Number.isSafeInteger(size * stored.bytes) || row % stored.elements !== 0) {
    const expected = `rows of whole blocks of ${stored.elements}`;
    throw reader.fault(
      `tensor ${name} expected ${expected} in ${stored.name}, got [${extents.toReversed().join(', ')}]`,
    );
  }
  if (offset % alignment !== 0) {
    throw reader.fault(`tensor ${name} expected at a multiple of ${alignment}, got ${offset}`);
  }
  return {
    name,
    storedType: stored.name,
    dtype: stored.dtype,
    shape: originalShape(metadata, name, reader, size) ?? extents.toReversed(),
    byteOffset: dataOffset + offset,
    byteLength: (size / stored.elements) * stored.bytes,
  };
}

function originalShape(
  metadata: ReadonlyMap<string, string>,
  name: string,
  reader: GgufReader,
  size: number,
): readonly number[] | null {
  const text = metadata.get(`${ORIGINAL_SHAPE}${name}`);
  if (text === undefined) return null;
  const shape = text.split(' ').map(Number);
  if (sizeOf(shape) !== size || !shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw reader.fault(
      `${ORIGINAL_SHAPE}${name} expected a shape of ${size} elements, got [${shape.join(', ')}]`,
    );
  }
  return shape;
}

function checkPlaces(
  tensors: ReadonlyMap<string, TensorEntry>,
  fileBytes: number,
  reader: GgufReader,
): void {
  let end = 0;
  for (const tensor of [...tensors.values()].sort((a, b) => a.byteOffset - b.byteOffset)) {
    const { name, byteOffset, byteLength } = tensor;
    if (byteOffset < end) {
      throw reader.fault(`tensor ${name} expected behind the one before it, got an overlap`);
    }
    end = byteOffset + byteLength;
    if (end > fileBytes) {
      throw reader.fault(
        `tensor ${name} expected to end within ${fileBytes} bytes, got ${end}: the file is cut off`,
      );
    }
  }
}
