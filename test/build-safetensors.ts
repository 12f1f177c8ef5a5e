/** A tensor to be written: raw bytes with a declared type and shape. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Length field, header and payload of a safetensors file; the header may be any text. */
export function frameFile(
  header: string | Uint8Array,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const headerBytes = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + headerBytes.length + payload.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes.length), true);
  file.set(headerBytes, 8);
  file.set(payload, 8 + headerBytes.length);
  return file;
}

/** A valid safetensors file with the header padded so that tensors start at a multiple of 8. */
export function buildSafetensors(
  tensors: Readonly<Record<string, RawTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  const text = JSON.stringify(header);
  return frameFile(
    text.padEnd(Math.ceil(text.length / 8) * 8),
    concatBytes(Object.values(tensors)),
  );
}

/** An f32 tensor. */
export function f32(shape: readonly number[], values: readonly number[]): RawTensor {
  return { dtype: 'F32', shape, data: bytesOf(Float32Array.from(values)) };
}

/** The bytes of a typed array. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function concatBytes(tensors: readonly RawTensor[]): Uint8Array {
  return Buffer.concat(tensors.map(({ data }) => data));
}
