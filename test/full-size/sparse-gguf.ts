import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GGML_FORMATS, type GgmlType } from '../../src/ops/ggml.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { type GgufEntry, ggufHeader } from '../build-gguf.ts';
import type { Shapes } from './network-shapes.ts';

const F32 = 0;

/** Writes a GGUF file with a true header and a hole where the data belongs: matrices in blocks, the rest in f32. */
export function writeSparseGguf(path: string, type: GgmlType, shapes: Shapes): void {
  const { code, elements, bytes } = GGML_FORMATS[type];
  const originals: Record<string, readonly number[]> = {};
  const tensors = Object.entries(shapes).map(([name, shape]): GgufEntry => {
    const size = sizeOf(shape);
    const isBlocks = shape.length === 2 && shape[1]! % elements === 0;
    if (shape.length > 4) originals[`comfy.gguf.orig_shape.${name}`] = shape;
    return {
      name,
      shape: shape.length > 4 ? [shape[0]!, size / shape[0]!] : shape,
      type: isBlocks ? code : F32,
      byteLength: isBlocks ? (size / elements) * bytes : size * 4,
    };
  });
  const header = ggufHeader(tensors, originals);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, header);
  truncateSync(
    path,
    tensors.reduce((end, { byteLength }) => end + byteLength, header.length),
  );
}
