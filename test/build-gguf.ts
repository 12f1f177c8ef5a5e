/** A tensor of a GGUF file to be written. */
export interface GgufTensor {
  readonly name: string;
  /** Outermost axis first. */
  readonly shape: readonly number[];
  /** Number of the type. */
  readonly type: number;
  readonly data: Uint8Array;
}

const ALIGNMENT = 32;

/** What the header says of a tensor, and how long it is. */
export type GgufEntry = Omit<GgufTensor, 'data'> & { readonly byteLength: number };

/** Texts and lists of i32. */
export type GgufMetadata = Readonly<Record<string, string | readonly number[]>>;

/** A GGUF file. Offsets may be replaced to make a damaged one. */
export function buildGguf(
  tensors: readonly GgufTensor[],
  metadata: GgufMetadata = {},
  offsets?: readonly number[],
): Uint8Array {
  const entries = tensors.map(({ data, ...tensor }) => ({ ...tensor, byteLength: data.length }));
  const header = ggufHeader(entries, metadata, offsets);
  return Buffer.concat([header, ...tensors.map(({ data }) => pad(data))]);
}

/** Everything in front of the data. */
export function ggufHeader(
  tensors: readonly GgufEntry[],
  metadata: GgufMetadata = {},
  offsets: readonly number[] = offsetsOf(tensors),
): Uint8Array {
  return pad(
    Buffer.concat([
      Buffer.from('GGUF'),
      u32(3),
      u64(tensors.length),
      u64(Object.keys(metadata).length),
      ...Object.entries(metadata).flatMap(([key, value]) => [text(key), ...valueBytes(value)]),
      ...tensors.flatMap(({ name, shape, type }, index) => [
        text(name),
        u32(shape.length),
        ...shape.toReversed().map(u64),
        u32(type),
        u64(offsets[index]!),
      ]),
    ]),
  );
}

function offsetsOf(tensors: readonly GgufEntry[]): number[] {
  let end = 0;
  return tensors.map(({ byteLength }) => {
    const begin = end;
    end += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    return begin;
  });
}

function valueBytes(value: string | readonly number[]): Buffer[] {
  if (typeof value === 'string') return [u32(8), text(value)];
  return [u32(9), u32(5), u64(value.length), ...value.map(u32)];
}

function pad(bytes: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT);
  padded.set(bytes);
  return padded;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** Numbers as blocks of Q8_0: 32 signed bytes under an f16 scale. */
export function encodeQ8(values: Float32Array): Uint8Array {
  const blocks = values.length / 32;
  const bytes = new Uint8Array(blocks * 34);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < blocks; block++) {
    const part = values.subarray(block * 32, block * 32 + 32);
    // A power of two is exact in f16, whose exponent has the bias 15.
    const largest = part.reduce((max, value) => Math.max(max, Math.abs(value)), 2 ** -7);
    const exponent = Math.ceil(Math.log2(largest / 127));
    view.setUint16(block * 34, (exponent + 15) << 10, true);
    part.forEach((value, i) => {
      view.setInt8(block * 34 + 2 + i, Math.round(value / 2 ** exponent));
    });
  }
  return bytes;
}
