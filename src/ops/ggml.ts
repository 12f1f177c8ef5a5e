import { checkChoice, checkDType, checkTensor, mismatch } from '../tensor/check.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { formatShape } from '../tensor/shape.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';
import { concat, contiguous } from './copy.ts';

/** Name of a block format. */
export type GgmlType = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q4_K' | 'Q5_K' | 'Q6_K';

/** A block format: its number in ggml and in GGUF files, and the size of a block. */
export interface GgmlFormat {
  readonly code: number;
  /** Elements of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
}

/**
 * Block formats of ggml that are read. `Q<bits>_0` scales 32 elements by one number, `Q<bits>_1` adds an offset; the
 * `_K` formats give 256 elements small scales of their own.
 *
 * @see ggml-common.h of https://github.com/ggml-org/ggml
 */
export const GGML_FORMATS: Readonly<Record<GgmlType, GgmlFormat>> = {
  Q4_0: { code: 2, elements: 32, bytes: 18 },
  Q4_1: { code: 3, elements: 32, bytes: 20 },
  Q5_0: { code: 6, elements: 32, bytes: 22 },
  Q5_1: { code: 7, elements: 32, bytes: 24 },
  Q8_0: { code: 8, elements: 32, bytes: 34 },
  Q4_K: { code: 12, elements: 256, bytes: 144 },
  Q5_K: { code: 13, elements: 256, bytes: 176 },
  Q6_K: { code: 14, elements: 256, bytes: 210 },
};

const TYPES = Object.keys(GGML_FORMATS) as readonly GgmlType[];

/** Whether a type name, as files have it, is that of blocks that can be read. */
export function isGgmlType(name: string): name is GgmlType {
  return Object.hasOwn(GGML_FORMATS, name);
}

/**
 * The numbers in blocks of ggml, in order. Computed in f32 and rounded once to `dtype`; the same in every bit on every
 * device.
 *
 * @param blocks - `[bytes]`, whole blocks one after another.
 * @returns `[elements]`.
 * @throws {@link FramePackError} `ERR_SHAPE` when the bytes are no whole number of blocks; `ERR_ARGUMENT`, `ERR_DTYPE`,
 *   `ERR_DISPOSED`.
 */
export function dequantizeGgml<D extends FloatDType>(
  blocks: Tensor<'u8'>,
  type: GgmlType,
  dtype: D,
): Tensor<D> {
  const device = checkTensor('dequantizeGgml', 'blocks', blocks);
  checkDType('dequantizeGgml', 'blocks', blocks, ['u8']);
  checkChoice('dequantizeGgml', 'type', type, TYPES);
  const { code, elements, bytes } = GGML_FORMATS[type];
  if (blocks.rank !== 1 || blocks.size % bytes !== 0) {
    const expected = `one axis of whole blocks of ${bytes} bytes`;
    throw mismatch('ERR_SHAPE', 'dequantizeGgml', 'blocks', expected, formatShape(blocks.shape));
  }
  const out = empty(device, [(blocks.size / bytes) * elements], dtype);
  if (out.size === 0) return out;
  // Kernels read pairs of bytes, and every block has an even number of them.
  const isEven = blocks.native.offset % 2 === 0;
  using packed = isEven ? contiguous(blocks) : concat([blocks], 0);
  native().dequantizeGgml(device.native, { blocks: packed.native, out: out.native, type: code });
  return out;
}
