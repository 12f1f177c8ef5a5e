import { show } from '../errors.ts';
import { cast, dequantizeFp8, quantizeFp8 } from '../ops/copy.ts';
import { mul } from '../ops/elementwise.ts';
import { embedding } from '../ops/gather.ts';
import { isGgmlType } from '../ops/ggml.ts';
import { checkObject, mismatch } from '../tensor/check.ts';
import { type FloatDType, isFloatDType } from '../tensor/dtype.ts';
import { scope } from '../tensor/scope.ts';
import { empty, fromArray, type ScaledWeight, type Tensor, type Weight } from '../tensor/tensor.ts';
import type { TensorEntry } from './files/safetensors-header.ts';
import type { NetworkNames } from './network-names.ts';
import { NetworkTensors } from './network-tensors.ts';
import { checkScales, findScales, isFp8, scaleLayout } from './scaled-weight.ts';
import type { TensorSource } from './tensor-source.ts';

/** Changes tensors while they are taken, by the names that loaders ask for; a LoRA does. */
export interface WeightEdits {
  changes(name: string): boolean;
  /** A tensor of the same shape and dtype, owned by the current scope. */
  apply(name: string, weight: Tensor): Tensor;
}

/** The tensors of a checkpoint below one prefix; what a layer's `load()` is given. */
export class WeightScope {
  /** Dotted path of this scope, empty at the root. */
  readonly path: string;
  protected readonly source: TensorSource;
  /** The 16-bit type that float tensors are cast to while they are taken; null leaves each its own. */
  readonly dtype: 'f16' | 'bf16' | null;
  private readonly edits: WeightEdits | null;

  /** Use `Checkpoint.scope`. */
  constructor(
    source: TensorSource,
    path: string,
    edits: WeightEdits | null = null,
    dtype: 'f16' | 'bf16' | null = null,
  ) {
    this.source = source;
    this.path = path;
    this.edits = edits;
    this.dtype = dtype;
  }

  /** The scope of a module, such as `attn.to_q`, relative to this one. */
  at(path: string): WeightScope {
    return new WeightScope(this.source, this.resolve(path), this.edits, this.dtype);
  }

  /** This scope with tensors changed while they are taken. */
  edited(edits: WeightEdits): WeightScope {
    return new WeightScope(this.source, this.path, edits, this.dtype);
  }

  /**
   * The network in this scope, under the names its loader knows whatever the file calls them.
   *
   * @param dtype - type of the network's activations. Tensor cores multiply operands of one type, so that weights of
   *   another are cast once, here, when it has 16 bits; fp8 matrices stay. In f32 products of two types cost nothing more.
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when there is none.
   */
  network(names: NetworkNames, dtype: FloatDType = 'f32'): NetworkScope {
    const root = this.path === '' ? '' : `${this.path}.`;
    const tensors = new NetworkTensors(this.source, root, names);
    return new NetworkScope(tensors, this.edits, dtype === 'f32' ? null : dtype);
  }

  has(name: string): boolean {
    return this.source.has(this.resolve(name));
  }

  /**
   * Takes a tensor in a type that every operation reads: as `Checkpoint.take`, but float tensors are cast to the type of
   * the scope, and without one fp8 is widened to the 16-bit type of the checkpoint, with its scales applied. The name is
   * relative to this scope.
   *
   * @throws {@link FramePackError} as `Checkpoint.take`; `ERR_CHECKPOINT` when scales do not fit or nobody knows them.
   */
  take(name: string, shape: readonly number[]): Tensor {
    if (this.dtype !== null && this.isFloat(name)) return this.takeAs(name, shape, this.dtype);
    return scope(() => {
      const weight = this.takeWide(name, shape, this.source.wideType);
      return this.edits?.apply(this.resolve(name), weight) ?? weight;
    });
  }

  /**
   * Takes a tensor in a float type of the caller's, with one rounding, edits and scales included: fp8 is widened and edits
   * are applied in f32.
   *
   * @throws {@link FramePackError} as {@link WeightScope.take}.
   */
  takeAs<D extends FloatDType>(name: string, shape: readonly number[], dtype: D): Tensor<D> {
    return scope(() => {
      const full = this.resolve(name);
      if (!this.edits?.changes(full)) return cast(this.takeWide(name, shape, dtype), dtype);
      const wide = cast(this.takeWide(name, shape, 'f32'), 'f32');
      return cast(this.edits.apply(full, wide), dtype);
    });
  }

  /**
   * Takes a matrix in whatever format it is stored: plain, or fp8 with its scales. An fp8 matrix without scales has the
   * scale 1. One that is edited is widened to f32 and rounded again with scales for the same groups, so that it takes
   * what it took. The other 8-bit type, e5m2, is widened.
   *
   * @param shape - `[N, K]`.
   * @throws {@link FramePackError} as {@link WeightScope.take}.
   */
  takeWeight(name: string, shape: readonly number[]): Weight {
    if (this.entryOf(name)?.dtype !== 'f8e4m3') return this.take(name, shape);
    if (this.edits?.changes(this.resolve(name))) return this.takeEditedFp8(name, shape);
    const data = this.source.take(this.resolve(name), shape) as Tensor<'f8e4m3'>;
    const scales = this.takeScales(name, shape);
    if (scales !== null) return { data, ...scales };
    return { data, scale: fromArray(this.source.device, [1], [1], 'f32'), mode: 'tensor' };
  }

  /**
   * Takes rows of a matrix, as {@link WeightScope.take} takes the whole: the file is read where they lie, and nothing else
   * of the matrix comes to memory.
   *
   * @param shape - `[N, K]` of the whole.
   * @returns `[rows.length, K]`.
   * @throws {@link FramePackError} as {@link WeightScope.take}; `ERR_ARGUMENT` naming the first row outside the matrix.
   */
  takeRows(name: string, shape: readonly number[], rows: readonly number[]): Tensor {
    return scope(() => {
      const full = this.resolve(name);
      if (this.edits?.changes(full)) return embedding(this.take(name, shape), rows);
      const data = this.source.takeRows(full, shape, rows);
      const scales = this.takeScales(name, shape);
      if (!isFp8(this.entryOf(name))) return data;
      const { wideType } = this.source;
      return scales === null
        ? cast(data, wideType)
        : widen(data, scalesOfRows(scales, rows), wideType).reshape(data.shape);
    });
  }

  protected resolve(name: string): string {
    if (typeof name !== 'string') {
      throw mismatch('ERR_ARGUMENT', 'WeightScope', 'name', 'a text', show(name));
    }
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  private takeEditedFp8(name: string, shape: readonly number[]): ScaledWeight {
    const found = findScales(this.source, this.resolve(name));
    const { mode } =
      found === null
        ? ({ mode: 'tensor' } as const)
        : scaleLayout(this.source.entryOf(found.scale).shape, shape, found.scale);
    return scope(() => quantizeFp8(this.takeAs(name, shape, 'f32'), mode));
  }

  /** As it is stored, but fp8 in `wideType`. */
  private takeWide(name: string, shape: readonly number[], wideType: FloatDType): Tensor {
    const data = this.source.take(this.resolve(name), shape);
    const matrix = [shape[0] ?? 1, sizeOf(shape.slice(1))];
    const scales = this.takeScales(name, matrix);
    if (!isFp8(this.entryOf(name))) return data;
    if (scales === null) return cast(data, wideType);
    return widen(data.reshape(matrix), scales, wideType).reshape(shape);
  }

  private isFloat(name: string): boolean {
    const entry = this.entryOf(name);
    if (entry === undefined) return false;
    const { dtype, storedType } = entry;
    return isFp8(entry) || isGgmlType(storedType) || (dtype !== null && isFloatDType(dtype));
  }

  private entryOf(name: string): TensorEntry | undefined {
    const full = this.resolve(name);
    return this.source.has(full) ? this.source.entryOf(full) : undefined;
  }

  /** Scales beside a tensor as kernels take them, or null; what is known beside them is checked. */
  private takeScales(name: string, matrix: readonly number[]): Scales | null {
    const { source } = this;
    const full = this.resolve(name);
    const found = findScales(source, full);
    if (found === null) return null;
    const stored = source.entryOf(found.scale).shape;
    const { mode, shape } = scaleLayout(stored, matrix, found.scale);
    for (const other of found.noted) source.note(other);
    if (source.device.kind === 'meta') {
      source.note(found.scale);
      return { mode, scale: empty(source.device, shape, 'f32') };
    }
    // Scales are stored in the model's dtype, mostly bf16; kernels take f32.
    const values = source.takeFloat32(found.scale, stored);
    checkScales(values, found.scale);
    return { mode, scale: fromArray(source.device, values, shape, 'f32') };
  }
}

/** A {@link WeightScope} at the root of one network, which keeps account of what its loader takes. */
export class NetworkScope extends WeightScope {
  private readonly tensors: NetworkTensors;

  /** Use {@link WeightScope.network}. */
  constructor(tensors: NetworkTensors, edits: WeightEdits | null, dtype: 'f16' | 'bf16' | null) {
    super(tensors, '', edits, dtype);
    this.tensors = tensors;
  }

  /** Says that the tensors of a module are known and not needed, or taken later. */
  leave(module: string): void {
    this.tensors.leave(module);
  }

  /** @throws {@link FramePackError} `ERR_CHECKPOINT` when a tensor that is not taken is not there either. */
  expect(name: string): void {
    this.tensors.entryOf(name);
  }

  /** As `NetworkTensors.leftOver`; the last thing that a loader does. */
  leftOver(): readonly string[] {
    return this.tensors.leftOver();
  }
}

/**
 * Checks what a layer's `load()` is given.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT`.
 */
export function checkLoad(operation: string, weights: WeightScope, shape: unknown): void {
  if (!(weights instanceof WeightScope)) {
    throw mismatch('ERR_ARGUMENT', operation, 'weights', 'a WeightScope', show(weights));
  }
  checkObject(operation, 'shape', shape);
}

type Scales = Pick<ScaledWeight, 'scale' | 'mode'>;

function scalesOfRows({ scale, mode }: Scales, rows: readonly number[]): Scales {
  if (mode === 'tensor') return { scale, mode };
  const table = scale.reshape([scale.shape[0]!, -1]);
  const shape = [rows.length, ...scale.shape.slice(1)];
  return { scale: embedding(table as Tensor<'f32'>, rows).reshape(shape), mode };
}

/** `[N, K]` times its scales, rounded once to `dtype`. */
function widen(data: Tensor, { scale, mode }: Scales, dtype: FloatDType): Tensor {
  if (data.dtype === 'f8e4m3') {
    return dequantizeFp8({ data: data as Tensor<'f8e4m3'>, scale, mode }, dtype);
  }
  const [rows, groups] = mode === 'block64' ? scale.shape : [scale.size, 1];
  const grouped = cast(data, 'f32').reshape([rows!, groups!, -1]);
  return cast(mul(grouped, scale.reshape([rows!, groups!, 1])), dtype);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
