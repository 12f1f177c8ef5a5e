import { closeSync, openSync, writeSync } from 'node:fs';
import { Device } from '../../src/tensor/device.ts';
import { bytesOf, type DType, encode } from '../../src/tensor/dtype.ts';
import { scope } from '../../src/tensor/scope.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { empty, type Tensor } from '../../src/tensor/tensor.ts';
import type { TensorEntry } from '../../src/weights/files/safetensors-header.ts';
import { isScaleName } from '../../src/weights/scaled-weight.ts';
import type { TensorSource } from '../../src/weights/tensor-source.ts';
import { WeightScope } from '../../src/weights/weight-scope.ts';
import { randomNumbers } from '../harness/random-tensor.ts';

/** Types that a random checkpoint stores its matrices in. */
export type StoredType = 'f32' | 'bf16' | 'f8e4m3';

const STORED_NAMES: Readonly<Record<StoredType, string>> = {
  f32: 'F32',
  bf16: 'BF16',
  f8e4m3: 'F8_E4M3',
};
/** Mean size of an fp8 element; far from both ends of its range. */
const FP8_DEVIATION = 16;
const ALIGNMENT = 64;

/** A tensor that a network asks for. */
interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
}

interface Planned {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Writes a safetensors file with random weights for whatever `load` takes: the network itself says which tensors it
 * has. Variances keep activations near one through any number of layers.
 */
export async function writeRandomCheckpoint(
  file: string,
  storedType: StoredType,
  load: (weights: WeightScope) => void,
): Promise<void> {
  const tensors = (await wantedBy(load)).flatMap((wanted) => plan(wanted, storedType));
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const begin = end;
    end += sizeOf(shape) * bytesOf(dtype);
    header[name] = { dtype: STORED_NAMES[dtype], shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((ALIGNMENT - ((8 + text.length) % ALIGNMENT)) % ALIGNMENT, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length + padding.length));
  const descriptor = openSync(file, 'wx');
  try {
    for (const part of [length, text, padding]) writeSync(descriptor, part);
    for (const tensor of tensors) writeTensor(descriptor, tensor);
  } finally {
    closeSync(descriptor);
  }
}

async function wantedBy(load: (weights: WeightScope) => void): Promise<readonly Wanted[]> {
  await using device = Device.open('meta');
  const recorder = new Recorder(device);
  scope(() => load(new WeightScope(recorder, '')));
  return recorder.wanted;
}

/** Has every tensor that it is asked for but scales, and writes down which. */
class Recorder implements TensorSource {
  readonly device: Device;
  readonly wideType = 'bf16';
  readonly wanted: Wanted[] = [];

  constructor(device: Device) {
    this.device = device;
  }

  take(name: string, shape: readonly number[]): Tensor {
    this.wanted.push({ name, shape });
    return empty(this.device, shape, 'bf16');
  }

  takeRows(name: string, shape: readonly number[], rows: readonly number[]): Tensor {
    this.wanted.push({ name, shape });
    return empty(this.device, [rows.length, ...shape.slice(1)], 'bf16');
  }

  takeFloat32(name: string, shape: readonly number[]): Float32Array {
    this.wanted.push({ name, shape });
    return new Float32Array(sizeOf(shape));
  }

  names(): readonly string[] {
    return this.wanted.map(({ name }) => name);
  }

  has(name: string): boolean {
    return !isScaleName(name);
  }

  entryOf(name: string): TensorEntry {
    return { name, storedType: 'BF16', dtype: 'bf16', shape: [], byteOffset: 0, byteLength: 0 };
  }

  note(): void {}
}

/** An fp8 matrix has one scale for each row beside it; what is no matrix is at least bf16. */
function plan({ name, shape }: Wanted, storedType: StoredType): Planned[] {
  const isVector = shape.length === 1;
  const isGain = isVector && name.endsWith('weight');
  const fanIn = sizeOf(shape.slice(1));
  const deviation = isVector ? 0.02 : 1 / Math.sqrt(fanIn);
  const mean = isGain ? 1 : 0;
  if (storedType !== 'f8e4m3' || shape.length !== 2) {
    const dtype = storedType === 'f8e4m3' ? 'bf16' : storedType;
    return [{ name, shape, dtype, mean, deviation }];
  }
  return [
    { name, shape, dtype: 'f8e4m3', mean, deviation: FP8_DEVIATION },
    {
      name: name.replace(/weight$/, 'scale_weight'),
      shape: [shape[0]!, 1],
      dtype: 'f32',
      mean: deviation / FP8_DEVIATION,
      deviation: 0,
    },
  ];
}

function writeTensor(descriptor: number, { shape, dtype, mean, deviation }: Planned): void {
  const period = encode(randomNumbers(sizeOf(shape), { mean, deviation }), dtype as DType);
  const bytes = new Uint8Array(period.buffer, period.byteOffset, period.byteLength);
  const total = sizeOf(shape) * bytesOf(dtype);
  for (let written = 0; written < total; ) {
    written += writeSync(descriptor, bytes, 0, Math.min(bytes.length, total - written));
  }
}
