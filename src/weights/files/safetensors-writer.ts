import type { DType } from '../../tensor/dtype.ts';
import { LENGTH_FIELD_BYTES, storedBits, storedByteLength } from './safetensors-header.ts';

/** Data begins at a multiple of this, so that every element of a mapped file is aligned. */
const ALIGNMENT = 8;

const STORED_TYPES: Readonly<Record<DType, string>> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  f8e4m3: 'F8_E4M3',
  i32: 'I32',
  u8: 'U8',
};

/** What the format calls a tensor type. */
export function storedTypeOf(dtype: DType): string {
  return STORED_TYPES[dtype];
}

/** A tensor as a header lists it. */
export interface StoredTensor {
  readonly name: string;
  /** Type name of the format, such as `BF16`. */
  readonly storedType: string;
  readonly shape: readonly number[];
}

/** The start of a file that is to be written, and where its tensors will lie. */
export interface FileLayout {
  /** Length field and header. */
  readonly header: Uint8Array;
  /** First byte of every tensor, counted from the start of the file. */
  readonly offsets: ReadonlyMap<string, number>;
  /** Of the whole file. */
  readonly byteLength: number;
}

/**
 * Lays out a safetensors file before anything of it is known but names, types and shapes. Wide elements come first, then
 * names in order, as the reference writer does: every tensor begins at a multiple of its element.
 *
 * @see safetensors format, https://github.com/huggingface/safetensors
 */
export function layOutFile(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
): FileLayout {
  const sorted = tensors.toSorted(
    (a, b) =>
      storedBits(b.storedType) - storedBits(a.storedType) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  let end = 0;
  const begins = new Map<string, number>();
  const members = sorted.map(({ name, storedType, shape }) => {
    const begin = end;
    begins.set(name, begin);
    end += storedByteLength(storedType, shape);
    return [name, { dtype: storedType, shape, data_offsets: [begin, end] }] as const;
  });
  const texts = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata] as const];
  const json = Buffer.from(JSON.stringify(Object.fromEntries([...texts, ...members])));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(LENGTH_FIELD_BYTES + length, ' ');
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, LENGTH_FIELD_BYTES);
  const offsets = new Map([...begins].map(([name, begin]) => [name, header.length + begin]));
  return { header, offsets, byteLength: header.length + end };
}
