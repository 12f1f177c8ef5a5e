/** `framepack-node/tensor`: typed tensors on a device and the operations on them. */
export { FramePackError } from '../errors.ts';
export { type AttentionOptions, attention } from '../ops/attention.ts';
export { conv3d } from '../ops/conv3d.ts';
export {
  arange,
  cast,
  concat,
  contiguous,
  copyInto,
  dequantizeFp8,
  full,
  quantizeFp8,
  to,
  zeros,
} from '../ops/copy.ts';
export {
  add,
  affine,
  clamp,
  div,
  exp,
  geluTanh,
  lerp,
  mul,
  quickGelu,
  silu,
  sub,
} from '../ops/elementwise.ts';
export { embedding, upsampleNearest } from '../ops/gather.ts';
export { type MatmulOptions, matmul } from '../ops/matmul.ts';
export { groupNorm, layerNorm, rmsNorm } from '../ops/norm.ts';
export { patchify, unpatchify } from '../ops/patchify.ts';
export { absMean, countNonFinite, maxAbs, mean, std, sum } from '../ops/reduce.ts';
export { type RopeTable, rope, ropePool, ropeTable } from '../ops/rope.ts';
export { Device, type DeviceKind, type DeviceOptions, type MemoryStats } from '../tensor/device.ts';
export type { DType, FloatDType, TypedArray, TypedArrayOf } from '../tensor/dtype.ts';
export { Generator } from '../tensor/generator.ts';
export { keep, scope } from '../tensor/scope.ts';
export {
  empty,
  fromArray,
  fromFile,
  type ScaledWeight,
  Tensor,
  type Weight,
} from '../tensor/tensor.ts';
