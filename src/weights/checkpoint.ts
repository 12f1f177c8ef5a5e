import { FramePackError } from '../errors.ts';
import { copyInto, zeros } from '../ops/copy.ts';
import { dequantizeGgml, GGML_FORMATS, type GgmlType, isGgmlType } from '../ops/ggml.ts';
import { checkWhole } from '../tensor/check.ts';
import type { Device } from '../tensor/device.ts';
import { bytesOf, type DType, decode, typedArray } from '../tensor/dtype.ts';
import { scope } from '../tensor/scope.ts';
import { empty, fromArray, fromFile, type Tensor } from '../tensor/tensor.ts';
import {
  type CheckpointFileOptions,
  type LocatedTensor,
  openCheckpointFiles,
} from './files/checkpoint-files.ts';
import type { TensorEntry } from './files/safetensors-header.ts';
import type { TensorSource } from './tensor-source.ts';
import { WeightScope } from './weight-scope.ts';

const LISTED_NAMES = 8;
const READABLE_TYPES = `F32, F16, BF16, F8_E4M3, F8_E5M2, I32, U8 or one of ${Object.keys(GGML_FORMATS).join(', ')}`;

/** How a checkpoint is read. */
export interface CheckpointOptions extends CheckpointFileOptions {
  /** Removed from the front of the names that have it, such as `model.` in repackaged text encoders. */
  readonly stripPrefix?: string;
}

/**
 * The tensors of one network on disk. Files are validated when it is opened; a tensor is mapped (CPU), uploaded
 * (CUDA) or only sized (meta) when it is taken. There is nothing to close.
 *
 * Names are checked both ways: taking a tensor that is missing or has another shape fails, and
 * {@link Checkpoint.assertUsed} fails when tensors are left over.
 */
export class Checkpoint implements TensorSource {
  readonly device: Device;
  readonly wideType: 'f16' | 'bf16';
  /** The file or folder it was opened from. */
  readonly path: string;
  private readonly tensors: ReadonlyMap<string, LocatedTensor>;
  private readonly taken: Set<string> = new Set();
  private numTakenBytes = 0;

  private constructor(device: Device, path: string, tensors: ReadonlyMap<string, LocatedTensor>) {
    this.device = device;
    this.path = path;
    this.tensors = tensors;
    const stored = new Set([...tensors.values()].map(({ entry }) => entry.storedType));
    const isHalf = stored.has('F16') && !stored.has('BF16') && ![...stored].some(isGgmlType);
    this.wideType = isHalf ? 'f16' : 'bf16';
  }

  /**
   * Opens a safetensors or GGUF file, a folder of safetensors files, or a `*.safetensors.index.json`.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when anything about the files is wrong.
   */
  static async open(
    device: Device,
    path: string,
    options: CheckpointOptions = {},
  ): Promise<Checkpoint> {
    const tensors = stripPrefix(
      openCheckpointFiles(path, options),
      options.stripPrefix ?? '',
      path,
    );
    return new Checkpoint(device, path, tensors);
  }

  /** Names of all tensors, in file order. */
  names(): readonly string[] {
    return [...this.tensors.keys()];
  }

  /** What is stored of every tensor, in file order. */
  entries(): readonly TensorEntry[] {
    return [...this.tensors.values()].map(({ entry }) => entry);
  }

  /** The tensors below a prefix, such as `text_model.encoder`; all of them without one. */
  scope(prefix: string = ''): WeightScope {
    return new WeightScope(this, prefix);
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** What is stored of a tensor. @throws {@link FramePackError} `ERR_CHECKPOINT` when there is none. */
  entryOf(name: string): TensorEntry {
    return this.find(name).entry;
  }

  /** Stored shape of a tensor. @throws {@link FramePackError} `ERR_CHECKPOINT` when there is none. */
  shapeOf(name: string): readonly number[] {
    return this.find(name).entry.shape;
  }

  note(name: string): void {
    this.count(name, this.find(name).entry.byteLength);
  }

  /**
   * Makes a tensor of a stored one, in its stored dtype; F8_E5M2, which is the upper half of f16, becomes f16.
   *
   * Blocks of a GGUF file are dequantised by the device and become bf16.
   *
   * @returns a view of the mapped file on the CPU device, a copy elsewhere and where the file stores it at an
   *   unaligned position; owned by the current scope.
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is missing, has another shape, or its file has changed;
   *   `ERR_UNSUPPORTED` when its type has no tensor type.
   */
  take(name: string, shape: readonly number[]): Tensor {
    const located = this.expect(name, shape);
    const { entry, file } = located;
    const { storedType } = entry;
    const isBlocks = isGgmlType(storedType);
    const dtype = isBlocks ? this.wideType : this.readableType(name, entry.dtype, storedType);
    file.assertUnchanged();
    this.count(name, entry.byteLength);
    if (isBlocks) return this.takeBlocks(located, shape, storedType);
    return this.takePlain(located, shape, dtype);
  }

  private takePlain(located: LocatedTensor, shape: readonly number[], dtype: DType): Tensor {
    const { entry, file } = located;
    if (this.device.kind === 'meta') return empty(this.device, shape, dtype);
    if (entry.storedType === 'F8_E5M2') return this.takeUpperHalves(located, shape);
    if (entry.byteOffset % bytesOf(dtype) === 0) {
      return fromFile(this.device, { path: file.path, byteOffset: entry.byteOffset }, shape, dtype);
    }
    return fromArray(this.device, elements(located, dtype), shape, dtype);
  }

  /** The device takes the blocks as they are stored and makes numbers of them. */
  private takeBlocks(located: LocatedTensor, shape: readonly number[], type: GgmlType): Tensor {
    const { byteOffset, byteLength } = located.entry;
    return scope(() => {
      const range = { path: located.file.path, byteOffset };
      const isMeta = this.device.kind === 'meta';
      const blocks = isMeta
        ? empty(this.device, [byteLength], 'u8')
        : fromFile(this.device, range, [byteLength], 'u8');
      return dequantizeGgml(blocks, type, this.wideType).reshape(shape);
    });
  }

  /**
   * As {@link Checkpoint.take}, of rows of a tensor alone, which are read to memory.
   *
   * @throws {@link FramePackError} as {@link Checkpoint.take}; `ERR_ARGUMENT` naming the first row outside the tensor.
   */
  takeRows(name: string, shape: readonly number[], rows: readonly number[]): Tensor {
    const { entry, file } = this.expect(name, shape);
    const [numRows = 1, ...rest] = shape;
    for (const [index, row] of rows.entries()) {
      checkWhole('takeRows', `rows[${index}]`, row, 0, numRows - 1);
    }
    const { storedType } = entry;
    const isBlocks = isGgmlType(storedType);
    const dtype = isBlocks ? this.wideType : this.readableType(name, entry.dtype, storedType);
    const byteLength = entry.byteLength / numRows;
    this.count(name, rows.length * byteLength);
    const found = [rows.length, ...rest];
    if (this.device.kind === 'meta' || rows.length === 0) return empty(this.device, found, dtype);
    const bytes = Buffer.concat(
      rows.map((row) => {
        const byteOffset = entry.byteOffset + row * byteLength;
        return file.readBytes({ ...entry, byteOffset, byteLength });
      }),
    );
    const stored = storedType === 'F8_E5M2' ? asUpperHalves(bytes) : new Uint8Array(bytes);
    if (isBlocks) {
      return scope(() => {
        const blocks = fromArray(this.device, stored, [stored.length], 'u8');
        return dequantizeGgml(blocks, storedType, this.wideType).reshape(found);
      });
    }
    return fromArray(this.device, typedArray(dtype, stored.buffer), found, dtype);
  }

  /**
   * Reads a float tensor to the host, widened to f32; for the few small ones whose values decide something.
   *
   * @throws {@link FramePackError} as {@link Checkpoint.take}.
   */
  takeFloat32(name: string, shape: readonly number[]): Float32Array {
    const located = this.expect(name, shape);
    const { dtype, storedType } = located.entry;
    const readable = this.readableType(name, dtype, storedType);
    this.count(name, located.entry.byteLength);
    return decode(elements(located, readable), readable);
  }

  /**
   * Reads an I64 tensor to the host: token ids and the like, which no device computes with.
   *
   * @throws {@link FramePackError} `ERR_UNSUPPORTED` for another type or a value beyond 2^53; else as
   *   {@link Checkpoint.take}.
   */
  takeIntegers(name: string, shape: readonly number[]): number[] {
    const { entry, file } = this.expect(name, shape);
    if (entry.storedType !== 'I64') throw this.unsupported(name, 'I64', entry.storedType);
    const bytes = file.readBytes(entry);
    this.count(name, entry.byteLength);
    return Array.from(new BigInt64Array(bytes.buffer, bytes.byteOffset), (value) => {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw this.unsupported(name, 'values below 2^53', value);
      return number;
    });
  }

  /** Stored bytes of the tensors that were taken, as often as they were. */
  get takenBytes(): number {
    return this.numTakenBytes;
  }

  /** Names that have not been taken. */
  unused(): readonly string[] {
    return this.names().filter((name) => !this.taken.has(name));
  }

  /**
   * Fails when tensors are left over: a sign of the wrong configuration or the wrong file.
   *
   * @param ignore - names that may be left over.
   * @throws {@link FramePackError} `ERR_CHECKPOINT` naming some of them.
   */
  assertUsed(ignore: readonly RegExp[] = []): void {
    const left = this.unused().filter((name) => !ignore.some((pattern) => pattern.test(name)));
    if (left.length === 0) return;
    const more = left.length > LISTED_NAMES ? ` and ${left.length - LISTED_NAMES} more` : '';
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${this.path} expected no tensors besides the network's, got ${left.slice(0, LISTED_NAMES).join(', ')}${more}`,
      { path: this.path, unused: left },
    );
  }

  private count(name: string, bytes: number): void {
    this.taken.add(name);
    this.numTakenBytes += bytes;
  }

  private takeUpperHalves({ entry, file }: LocatedTensor, shape: readonly number[]): Tensor {
    return scope(() => {
      const range = { path: file.path, byteOffset: entry.byteOffset };
      const bytes = fromFile(this.device, range, [...shape, 1], 'u8');
      const halves = zeros(this.device, [...shape, 2], 'u8');
      copyInto(bytes, halves.slice(shape.length, 1));
      return halves.bitcast('f16').squeeze(shape.length);
    });
  }

  private find(name: string): LocatedTensor {
    const located = this.tensors.get(name);
    if (located !== undefined) return located;
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${this.path}: tensor ${name} expected, got none of that name among ${this.tensors.size}`,
      { path: this.path, tensor: name },
    );
  }

  private expect(name: string, shape: readonly number[]): LocatedTensor {
    const located = this.find(name);
    const found = located.entry.shape;
    if (found.length !== shape.length || found.some((extent, axis) => extent !== shape[axis])) {
      throw new FramePackError(
        'ERR_CHECKPOINT',
        `checkpoint: ${located.file.path}: tensor ${name} expected [${shape.join(', ')}], ` +
          `got [${found.join(', ')}] ${located.entry.storedType}`,
        { file: located.file.path, tensor: name, expected: shape, found },
      );
    }
    return located;
  }

  private readableType(name: string, dtype: DType | null, storedType: string): DType {
    if (dtype === null) throw this.unsupported(name, READABLE_TYPES, storedType);
    return dtype;
  }

  private unsupported(name: string, expected: string, found: unknown): FramePackError {
    return new FramePackError(
      'ERR_UNSUPPORTED',
      `checkpoint: ${this.path}: tensor ${name} expected ${expected}, got ${String(found)}`,
      { path: this.path, tensor: name },
    );
  }
}

/** F8_E5M2 as f16. */
function asUpperHalves(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const halves = new Uint8Array(2 * bytes.length);
  for (const [index, byte] of bytes.entries()) halves[2 * index + 1] = byte;
  return halves;
}

function elements<D extends DType>(
  { entry, file }: LocatedTensor,
  dtype: D,
): ReturnType<typeof typedArray<D>> {
  return typedArray(dtype, file.readBytes(entry).buffer as ArrayBuffer);
}

function stripPrefix(
  tensors: ReadonlyMap<string, LocatedTensor>,
  prefix: string,
  path: string,
): ReadonlyMap<string, LocatedTensor> {
  if (prefix === '') return tensors;
  const renamed = new Map<string, LocatedTensor>();
  for (const [name, tensor] of tensors) {
    const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    if (renamed.has(short)) {
      throw new FramePackError(
        'ERR_CHECKPOINT',
        `checkpoint: ${path}: tensor ${short} expected once, got it with and without ${prefix}`,
        { path, tensor: short },
      );
    }
    renamed.set(short, tensor);
  }
  return renamed;
}
