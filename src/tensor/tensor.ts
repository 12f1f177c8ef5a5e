import { FramePackError, show } from '../errors.ts';
import { checkDevice, type Device } from './device.ts';
import {
  bytesOf,
  codeOf,
  type DType,
  decode,
  type FloatDType,
  hostData,
  isDType,
  type TypedArray,
  type TypedArrayOf,
  typedArray,
} from './dtype.ts';
import { inspectTensor } from './inspection/inspect-tensor.ts';
import { native, settle } from './native.ts';
import type { NativeTensor } from './native-types.ts';
import { adopt, disposedError, forget } from './scope.ts';
import {
  checkShape,
  contiguousStrides,
  expandedStrides,
  formatShape,
  isContiguousLayout,
  type Layout,
  permuteLayout,
  resolveAxis,
  resolveReshape,
  type Shape,
  showList,
  sizeOf,
  sliceLayout,
} from './shape.ts';
import { hostBuffer, Storage } from './storage.ts';

/**
 * A typed array on a device, or a view of one: an immutable layout over shared memory. Operations make
 * new tensors; only functions that say `into` write to an existing one.
 *
 * Memory is freed by {@link Tensor.dispose}, `using` or the enclosing {@link scope}, when the last view of
 * it goes; the garbage collector is the safety net.
 */
export class Tensor<D extends DType = DType> {
  readonly device: Device;
  readonly dtype: D;
  /** Extents, slowest axis first; empty for a scalar. */
  readonly shape: Shape;
  /** Distance between neighbours along every axis, in elements. */
  readonly strides: readonly number[];
  /** First element within the memory, in elements. */
  readonly offset: number;
  /** The tensor at the native boundary. Only operations use it, after checking {@link isDisposed}. */
  readonly native: NativeTensor;
  #storage: Storage | undefined;
  #freedBy: string | undefined;

  /** Takes over one ownership of `storage`. Use {@link empty}, {@link fromArray} or an operation instead. */
  constructor(storage: Storage, dtype: D, layout: Layout) {
    this.device = storage.device;
    this.dtype = dtype;
    this.shape = layout.shape;
    this.strides = layout.strides;
    this.offset = layout.offset;
    this.native = {
      buffer: storage.buffer,
      dtype: codeOf(dtype),
      shape: layout.shape,
      strides: layout.strides,
      offset: layout.offset,
    };
    this.#storage = storage;
    adopt(this);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether the elements lie in row-major order without gaps. */
  get isContiguous(): boolean {
    return isContiguousLayout(this);
  }

  /** Name of the scope that it was made in, if that ended without returning it. */
  get freedBy(): string | undefined {
    return this.#freedBy;
  }

  get isDisposed(): boolean {
    return this.#storage === undefined;
  }

  /**
   * The same elements in order with another shape; one extent may be -1.
   *
   * @returns a view. @throws {@link FramePackError} `ERR_SHAPE`; `ERR_UNSUPPORTED` when a copy would be needed.
   */
  reshape(shape: Shape): Tensor<D> {
    const resolved = resolveReshape('reshape', this.shape, shape);
    if (!this.isContiguous) {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `reshape: tensor expected contiguous memory, got strides ${formatShape(this.strides)} ` +
          `for ${formatShape(this.shape)}; call contiguous() first`,
      );
    }
    const strides = contiguousStrides(resolved);
    return this.#view('reshape', { shape: resolved, strides, offset: this.offset });
  }

  /** Axes in another order, as a view: `axes[i]` is the source of axis i. */
  permute(axes: readonly number[]): Tensor<D> {
    return this.#view('permute', permuteLayout('permute', this, axes));
  }

  /**
   * Elements `start, start + step, ...` below `end` of one axis, as a view. Negative `start` and `end` count
   * from the end of the axis; so does a negative axis.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` when the bounds leave the axis.
   */
  slice(axis: number, start: number, end?: number, step?: number): Tensor<D> {
    return this.#view('slice', sliceLayout('slice', this, axis, { start, end, step }));
  }

  /** Consecutive views along one axis; the sizes add up to its extent. */
  split(axis: number, sizes: readonly number[]): Tensor<D>[] {
    const index = resolveAxis('split', axis, this.rank);
    const isList = Array.isArray(sizes) && sizes.every(Number.isInteger);
    const total = isList ? sizes.reduce((sum, size) => sum + size, 0) : Number.NaN;
    if (total !== this.shape[index] || sizes.some((size) => size < 0)) {
      throw new FramePackError(
        'ERR_SHAPE',
        `split: sizes expected a sum of ${this.shape[index]} on axis ${index} of ` +
          `${formatShape(this.shape)}, got ${showList(sizes)}`,
      );
    }
    let start = 0;
    return sizes.map((size) => {
      const bounds = { start, end: start + size };
      start += size;
      return this.#view('split', sliceLayout('split', this, index, bounds));
    });
  }

  /** Axes of extent 1, and new axes in front, stretched to `shape`, as a view with stride 0. */
  expand(shape: Shape): Tensor<D> {
    checkShape('expand', shape);
    const strides = expandedStrides('expand', this, shape);
    return this.#view('expand', { shape: [...shape], strides, offset: this.offset });
  }

  /** Drops an axis of extent 1, as a view. */
  squeeze(axis: number): Tensor<D> {
    const index = resolveAxis('squeeze', axis, this.rank);
    if (this.shape[index] !== 1) {
      throw new FramePackError(
        'ERR_SHAPE',
        `squeeze: axis ${index} expected extent 1, got ${formatShape(this.shape)}`,
      );
    }
    return this.#view('squeeze', {
      shape: this.shape.toSpliced(index, 1),
      strides: this.strides.toSpliced(index, 1),
      offset: this.offset,
    });
  }

  /** A new axis of extent 1 at `axis`, as a view. */
  unsqueeze(axis: number): Tensor<D> {
    const index = resolveAxis('unsqueeze', axis, this.rank + 1);
    const shape = this.shape.toSpliced(index, 0, 1);
    checkShape('unsqueeze', shape);
    return this.#view('unsqueeze', {
      shape,
      strides: this.strides.toSpliced(index, 0, 1),
      offset: this.offset,
    });
  }

  /**
   * The same bytes as elements of another type, as a view; the last extent changes with the width of the type.
   *
   * @throws {@link FramePackError} `ERR_UNSUPPORTED` unless contiguous; `ERR_SHAPE` when the bytes are no whole elements.
   */
  bitcast<E extends DType>(dtype: E): Tensor<E> {
    checkDType('bitcast', dtype);
    const ratio = bytesOf(this.dtype) / bytesOf(dtype);
    const extent = (this.shape.at(-1) ?? 1) * ratio;
    const offset = this.offset * ratio;
    if (!this.isContiguous || this.rank === 0) {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `bitcast: tensor expected contiguous memory and an axis, got ${formatShape(this.shape)} with strides ${formatShape(this.strides)}`,
      );
    }
    if (!Number.isInteger(extent) || !Number.isInteger(offset)) {
      throw new FramePackError(
        'ERR_SHAPE',
        `bitcast: tensor expected whole elements of ${dtype}, got ${this.dtype} ${formatShape(this.shape)}`,
      );
    }
    const shape = this.shape.with(-1, extent);
    const layout = { shape, strides: contiguousStrides(shape), offset };
    return new Tensor(this.#alive('bitcast').addOwner(), dtype, layout);
  }

  /**
   * The elements in order, once everything enqueued so far has run.
   *
   * @returns raw bits for f16, bf16 and f8e4m3.
   * @throws {@link FramePackError} the first failure among that work; `ERR_UNSUPPORTED` on `meta`.
   */
  async read(): Promise<TypedArrayOf<D>> {
    this.#alive('read');
    if (this.isContiguous) return typedArray(this.dtype, await this.#download(this.native));
    const packed = Storage.allocate(this.device, this.size * bytesOf(this.dtype));
    const target: NativeTensor = {
      ...this.native,
      buffer: packed.buffer,
      strides: contiguousStrides(this.shape),
      offset: 0,
    };
    try {
      native().copy(this.device.native, { x: this.native, out: target });
      return typedArray(this.dtype, await this.#download(target));
    } finally {
      packed.removeOwner();
    }
  }

  /** {@link Tensor.read}, widened to f32. */
  async readFloat32(): Promise<Float32Array> {
    const data = await this.read();
    return data instanceof Float32Array ? data : decode(data, this.dtype);
  }

  /** A second owner of the same memory: a view that outlives this tensor. */
  retain(): Tensor<D> {
    return this.#view('retain', this);
  }

  /** Gives up this tensor. Work that is enqueued already still sees its memory. Idempotent. */
  dispose(freedBy?: string): void {
    const storage = this.#storage;
    if (storage === undefined) return;
    this.#freedBy = freedBy;
    this.#storage = undefined;
    forget(this);
    storage.removeOwner();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(operation: string): Storage {
    if (this.#storage === undefined) throw disposedError(operation, 'tensor', this.#freedBy);
    return this.#storage;
  }

  #view(operation: string, layout: Layout): Tensor<D> {
    return new Tensor(this.#alive(operation).addOwner(), this.dtype, layout);
  }

  #download(source: NativeTensor): Promise<ArrayBuffer> {
    const width = bytesOf(this.dtype);
    const target = hostBuffer('read', this.size * width);
    const offset = source.offset * width;
    return settle('read', async () => {
      await native().download(this.device.native, source.buffer, offset, target);
      return target;
    });
  }
}

// Not in the class: the declaration of such a name would bring the types of Node with it.
Object.defineProperty(Tensor.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Tensor): string {
    return Object.hasOwn(this, 'native') ? inspectTensor(this) : 'Tensor (not constructed)';
  },
});

/** A tensor that arithmetic accepts: `Tensor<'i32'>` and the like do not type-check, an open `Tensor` does. */
export type FloatTensor<D extends DType = DType> = Tensor<D> &
  ([Extract<D, FloatDType>] extends [never] ? never : unknown);

/** What one scale of an fp8 weight covers: everything, a row, or 64 consecutive columns of a row. */
export type ScaleMode = 'tensor' | 'channel' | 'block64';

/** A weight in fp8: `data * scale`. */
export interface ScaledWeight {
  /** `[N, K]`. */
  readonly data: Tensor<'f8e4m3'>;
  /** One number, `[N]` or `[N, K / 64]`, by `mode`. */
  readonly scale: Tensor<'f32'>;
  readonly mode: ScaleMode;
}

/** A weight `[N, K]` in any stored format. */
export type Weight = Tensor | ScaledWeight;

function checkDType(operation: string, dtype: DType): void {
  if (!isDType(dtype)) {
    throw new FramePackError(
      'ERR_DTYPE',
      `${operation}: dtype expected f32, f16, bf16, f8e4m3, i32 or u8, got ${show(dtype)}`,
    );
  }
}

/**
 * A tensor with undefined contents, for operations that write into it.
 *
 * @throws {@link FramePackError} `ERR_OUT_OF_MEMORY`, `ERR_SHAPE`, `ERR_DTYPE`.
 */
export function empty<D extends DType>(device: Device, shape: Shape, dtype: D): Tensor<D> {
  checkDevice('empty', device);
  checkDType('empty', dtype);
  checkShape('empty', shape);
  const storage = Storage.allocate(device, sizeOf(shape) * bytesOf(dtype));
  return new Tensor(storage, dtype, contiguousLayout(shape));
}

/**
 * A tensor with a copy of `data`. Numbers are converted to `dtype` (rounded to f32, then to nearest even
 * for f16, bf16 and f8e4m3); a `Uint16Array` for f16 or bf16 and a `Uint8Array` for f8e4m3 are taken as bits, as
 * {@link Tensor.read} returns them.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` unless `data` has one number per element (a detached buffer has
 * none); `ERR_ARGUMENT` for shared memory and for integers out of range.
 */
export function fromArray<D extends DType>(
  device: Device,
  data: TypedArray | readonly number[],
  shape: Shape,
  dtype: D,
): Tensor<D> {
  checkDevice('fromArray', device);
  checkDType('fromArray', dtype);
  checkShape('fromArray', shape);
  const encoded = hostData(data, shape, dtype);
  const storage = Storage.allocate(device, encoded.byteLength);
  native().upload(device.native, storage.buffer, 0, encoded);
  return new Tensor(storage, dtype, contiguousLayout(shape));
}

/** Where a tensor lies in a file. */
export interface FileRange {
  readonly path: string;
  /** First byte; a multiple of the element size. */
  readonly byteOffset: number;
}

/**
 * A read-only tensor over little-endian elements of a file. On the CPU device the file is mapped, not
 * copied: it must not be truncated while the tensor lives (replace it by renaming).
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when the file does not hold the range, `ERR_OUT_OF_MEMORY`.
 */
export function fromFile<D extends DType>(
  device: Device,
  range: FileRange,
  shape: Shape,
  dtype: D,
): Tensor<D> {
  checkDevice('fromFile', device);
  checkDType('fromFile', dtype);
  checkShape('fromFile', shape);
  const { path, byteOffset } = range ?? {};
  if (typeof path !== 'string') {
    const message = `fromFile: range expected a path and a byteOffset, got ${show(path ?? range)}`;
    throw new FramePackError('ERR_ARGUMENT', message);
  }
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % bytesOf(dtype) !== 0) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `fromFile: byteOffset expected a multiple of ${bytesOf(dtype)}, got ${show(byteOffset)}`,
    );
  }
  const bytes = sizeOf(shape) * bytesOf(dtype);
  const storage = Storage.fromFile(device, path, byteOffset, bytes);
  return new Tensor(storage, dtype, contiguousLayout(shape));
}

function contiguousLayout(shape: Shape): Layout {
  return { shape: [...shape], strides: contiguousStrides(shape), offset: 0 };
}
