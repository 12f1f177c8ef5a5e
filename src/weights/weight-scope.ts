import type { Device } from '../tensor/device.ts';
import { fromArray, type ScaledWeight, type Tensor, type Weight } from '../tensor/tensor.ts';
import { scaleLayout } from './scaled-weight.ts';

/** Where a scope takes its tensors from, by full name; a checkpoint is one. */
export interface TensorSource {
  readonly device: Device;
  names(): readonly string[];
  has(name: string): boolean;
  shapeOf(name: string): readonly number[];
  take(name: string, shape: readonly number[]): Tensor;
  takeFloat32(name: string, shape: readonly number[]): Float32Array;
}

/** The tensors of a checkpoint below one prefix; what a layer's `load()` is given. */
export class WeightScope {
  /** Dotted path of this scope, empty at the root. */
  readonly path: string;
  private readonly source: TensorSource;

  /** Use `Checkpoint.scope`. */
  constructor(source: TensorSource, path: string) {
    this.source = source;
    this.path = path;
  }

  /** The scope of a module, such as `attn.to_q`, relative to this one. */
  at(path: string): WeightScope {
    return new WeightScope(this.source, this.resolve(path));
  }

  /**
   * The scope of a module that some exporters wrap everything in and others leave out, such as `text_model` in the
   * CLIP checkpoints of transformers before and since version 5: this scope itself where nothing has the prefix.
   */
  atOptional(path: string): WeightScope {
    const prefix = `${this.resolve(path)}.`;
    return this.source.names().some((name) => name.startsWith(prefix)) ? this.at(path) : this;
  }

  has(name: string): boolean {
    return this.source.has(this.resolve(name));
  }

  /** As `Checkpoint.take`; the name is relative to this scope. */
  take(name: string, shape: readonly number[]): Tensor {
    return this.source.take(this.resolve(name), shape);
  }

  /**
   * Takes a matrix in whatever format it is stored: plain, or fp8 with scales under the same name ending in
   * `scale_weight` instead of `weight`. An fp8 matrix without scales has the scale 1.
   *
   * @param shape - `[N, K]`.
   * @throws {@link FramePackError} as `Checkpoint.take`; `ERR_CHECKPOINT` when the scales do not fit.
   */
  takeWeight(name: string, shape: readonly number[]): Weight {
    const data = this.take(name, shape);
    if (data.dtype !== 'f8e4m3') return data;
    return { data: data as Tensor<'f8e4m3'>, ...this.takeScale(name, shape) };
  }

  private takeScale(name: string, shape: readonly number[]): Pick<ScaledWeight, 'scale' | 'mode'> {
    const { device } = this.source;
    const scaleName = this.resolve(name.replace(/weight$/, 'scale_weight'));
    if (!this.source.has(scaleName)) {
      return { scale: fromArray(device, [1], [1], 'f32'), mode: 'tensor' };
    }
    // Scales are stored in the model's dtype, mostly bf16; kernels take f32.
    const stored = this.source.shapeOf(scaleName);
    const layout = scaleLayout(stored, shape, scaleName);
    const values = this.source.takeFloat32(scaleName, stored);
    return { scale: fromArray(device, values, layout.shape, 'f32'), mode: layout.mode };
  }

  private resolve(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
