import path from 'node:path';
import { FramePackError, show } from '../errors.ts';
import { checkTensor, mismatch } from '../tensor/check.ts';
import { checkDevice, type Device } from '../tensor/device.ts';
import { bytesOf, type DType, typedArray } from '../tensor/dtype.ts';
import { scope } from '../tensor/scope.ts';
import { sizeOf } from '../tensor/shape.ts';
import { fromArray, fromFile, type Tensor } from '../tensor/tensor.ts';
import { replaceFile, writeAt } from './files/replace-file.ts';
import {
  headerByteLength,
  LENGTH_FIELD_BYTES,
  parseSafetensorsHeader,
  type TensorEntry,
} from './files/safetensors-header.ts';
import { layOutFile, type StoredTensor, storedTypeOf } from './files/safetensors-writer.ts';
import { WeightFile } from './files/weight-file.ts';

/** Tensors by name, as {@link saveTensors} takes them. */
export type NamedTensors = Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>;

/** Text by name that a safetensors file carries beside its tensors. */
export type TensorFileMetadata = Readonly<Record<string, string>>;

/**
 * Writes tensors to a safetensors file. It appears under its name when it is complete and on the disk, in place of what
 * was there. Tensors are read one after the other, so one of them is in memory besides those on the device.
 *
 * @param tensors - any layout and dtype.
 * @param metadata - the file's `__metadata__`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_DISPOSED` before anything is written; `ERR_OUTPUT`.
 * @see safetensors format, https://github.com/huggingface/safetensors
 */
export async function saveTensors(
  file: string,
  tensors: NamedTensors,
  metadata: TensorFileMetadata = {},
): Promise<void> {
  if (typeof file !== 'string' || file === '') {
    throw mismatch('ERR_ARGUMENT', 'saveTensors', 'file', 'a path', show(file));
  }
  const entries = checkedEntries(tensors);
  checkMetadata(metadata);
  try {
    await replaceFile(file, async (handle) => {
      const layout = layOutFile(entries.map(storedTensor), metadata);
      await writeAt(handle, layout.header, 0);
      for (const [name, tensor] of entries) {
        await writeAt(handle, await bytesOfTensor(tensor), layout.offsets.get(name)!);
      }
    });
  } catch (cause) {
    if (cause instanceof FramePackError) throw cause;
    const target = path.resolve(file);
    const message = `saveTensors: file expected "${target}" to be writable, got ${reason(cause)}`;
    throw new FramePackError('ERR_OUTPUT', message, { file: target }, cause);
  }
}

function checkedEntries(tensors: NamedTensors): (readonly [string, Tensor])[] {
  if (typeof tensors !== 'object' || tensors === null) {
    const expected = 'tensors by name';
    throw mismatch('ERR_ARGUMENT', 'saveTensors', 'tensors', expected, show(tensors));
  }
  const entries = [...(tensors instanceof Map ? tensors : Object.entries(tensors))] as [
    string,
    Tensor,
  ][];
  for (const [name, tensor] of entries) {
    if (name === '__metadata__' || typeof name !== 'string') {
      throw mismatch('ERR_ARGUMENT', 'saveTensors', 'name', 'another name', show(name));
    }
    checkTensor('saveTensors', name, tensor);
  }
  return entries;
}

function checkMetadata(metadata: TensorFileMetadata): void {
  const isTexts =
    typeof metadata === 'object' &&
    metadata !== null &&
    Object.values(metadata).every((value) => typeof value === 'string');
  if (isTexts) return;
  throw mismatch('ERR_ARGUMENT', 'saveTensors', 'metadata', 'texts by name', show(metadata));
}

function storedTensor([name, { dtype, shape }]: readonly [string, Tensor]): StoredTensor {
  return { name, storedType: storedTypeOf(dtype), shape };
}

async function bytesOfTensor(tensor: Tensor): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await tensor.read();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * All tensors of a safetensors file, by name; they belong to the caller or to the running `scope()`. On the CPU device
 * those of a file are views of it, read when they are used, and cannot be written.
 *
 * @param source - a path, or the bytes of a file.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no valid safetensors file, or holds an element type that
 * tensors do not have; `ERR_ARGUMENT`.
 */
export function loadTensors(device: Device, source: string | Uint8Array): Map<string, Tensor> {
  checkDevice('loadTensors', device);
  if (typeof source === 'string') return loadFile(device, WeightFile.open(source));
  if (!(source instanceof Uint8Array)) {
    const expected = 'a path or the bytes of a file';
    throw mismatch('ERR_ARGUMENT', 'loadTensors', 'source', expected, show(source));
  }
  const label = 'the given bytes';
  const length = headerByteLength(source.subarray(0, LENGTH_FIELD_BYTES), source.length, label);
  const json = source.subarray(LENGTH_FIELD_BYTES, LENGTH_FIELD_BYTES + length);
  const { tensors } = parseSafetensorsHeader(json, source.length, label);
  return collect(tensors, label, (entry, dtype) =>
    fromBytes(device, dtype, entry, source.subarray(entry.byteOffset)),
  );
}

function loadFile(device: Device, file: WeightFile): Map<string, Tensor> {
  return collect(file.header.tensors, file.path, (entry, dtype) => {
    const isAligned = entry.byteOffset % bytesOf(dtype) === 0;
    if (!isAligned) return fromBytes(device, dtype, entry, file.readBytes(entry));
    const range = { path: file.path, byteOffset: entry.byteOffset };
    return fromFile(device, range, entry.shape, dtype);
  });
}

function collect(
  entries: ReadonlyMap<string, TensorEntry>,
  file: string,
  read: (entry: TensorEntry, dtype: DType) => Tensor,
): Map<string, Tensor> {
  return scope(() => {
    const pairs = [...entries].map(([name, entry]) => {
      const { dtype, storedType, shape } = entry;
      if (dtype === null || sizeOf(shape) * bytesOf(dtype) !== entry.byteLength) {
        const expected = `an element type that tensors have, got ${storedType}`;
        throw new FramePackError('ERR_CHECKPOINT', `${file}: tensor ${name} expected ${expected}`, {
          file,
          tensor: name,
        });
      }
      return [name, read(entry, dtype)] as const;
    });
    return new Map(pairs);
  });
}

function fromBytes(device: Device, dtype: DType, entry: TensorEntry, bytes: Uint8Array): Tensor {
  const own = bytes.slice(0, entry.byteLength);
  return fromArray(device, typedArray(dtype, own.buffer as ArrayBuffer), entry.shape, dtype);
}
