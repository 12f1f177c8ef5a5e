import type { Device } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TensorEntry } from './files/safetensors-header.ts';

/** Where a scope takes its tensors from, by full name; a checkpoint is one. */
export interface TensorSource {
  readonly device: Device;
  /**
   * The 16-bit type that fp8 tensors are widened to: that of the other tensors, bf16 when they have none or both, or stand
   * beside blocks of ggml, which become bf16.
   */
  readonly wideType: 'f16' | 'bf16';
  names(): readonly string[];
  has(name: string): boolean;
  /** What is stored of a tensor. @throws {@link FramePackError} `ERR_CHECKPOINT` when there is none. */
  entryOf(name: string): TensorEntry;
  take(name: string, shape: readonly number[]): Tensor;
  /** As `take`, of the rows `[rows.length, ...]` of a tensor alone, read to memory. */
  takeRows(name: string, shape: readonly number[], rows: readonly number[]): Tensor;
  takeFloat32(name: string, shape: readonly number[]): Float32Array;
  /** Counts a tensor as taken whose values are not needed. */
  note(name: string): void;
}
