import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A tensor as a header lists it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: StoredName;
  readonly shape: readonly number[];
}

/** Element types that public checkpoints use. */
export type StoredName = keyof typeof BYTES;

const BYTES = { F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, I64: 8, U8: 1 } as const;

/** Bytes of a tensor. */
export function bytesOfTensor({ dtype, shape }: HeaderTensor): number {
  return shape.reduce((product, extent) => product * extent, 1) * BYTES[dtype];
}

/** Writes a safetensors file with a true header and a hole where the data belongs. */
export function writeSparse(
  path: string,
  tensors: readonly HeaderTensor[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const tensor of tensors) {
    const begin = end;
    end += bytesOfTensor(tensor);
    header[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] };
  }
  const text = JSON.stringify(header);
  const bytes = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  mkdirSync(dirname(path), { recursive: true });
  const descriptor = openSync(path, 'w');
  try {
    writeSync(descriptor, length);
    writeSync(descriptor, bytes);
    ftruncateSync(descriptor, 8 + bytes.length + end);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes shards of at most `maxBytes` each, and their index, named as diffusers and transformers do. */
export function writeShards(
  folder: string,
  base: string,
  tensors: readonly HeaderTensor[],
  maxBytes: number,
): void {
  const shards: HeaderTensor[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = bytesOfTensor(tensor);
    if (size > 0 && size + bytes > maxBytes) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += bytes;
  }
  const weightMap: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const place = [index + 1, shards.length].map((number) => String(number).padStart(5, '0'));
    const name = `${base}-${place.join('-of-')}.safetensors`;
    writeSparse(join(folder, name), shard);
    for (const tensor of shard) weightMap[tensor.name] = name;
  }
  const totalSize = tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
  writeFileSync(
    join(folder, `${base}.safetensors.index.json`),
    JSON.stringify({ metadata: { total_size: totalSize }, weight_map: weightMap }),
  );
}
