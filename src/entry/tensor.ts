/**
 * Typed tensors on a device and the operations on them.
 *
 * @module framepack-node/tensor
 */
export { FramePackError } from '../errors.ts';
export {
  type AttentionMask,
  type AttentionOptions,
  type AttentionSegments,
  attention,
} from '../ops/attention.ts';
export { type ConvOptions, conv1d, conv2d } from '../ops/conv.ts';
export { type Conv3dOptions, conv3d } from '../ops/conv3d.ts';
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
  equal,
  exp,
  type FloatOperand,
  geluTanh,
  greater,
  greaterEqual,
  lerp,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  notEqual,
  quickGelu,
  relu,
  rsqrt,
  silu,
  sqrt,
  sub,
  tanh,
  where,
} from '../ops/elementwise.ts';
export { embedding, type UpsampleFactor, upsampleNearest } from '../ops/gather.ts';
export { dequantizeGgml, type GgmlType } from '../ops/ggml.ts';
export { gather, type PadMode, pad, scatter, stack, take } from '../ops/indexing.ts';
export { type InterpolateMethod, interpolate } from '../ops/interpolate.ts';
export { type Activation, type LinearEpilogue, linear } from '../ops/linear.ts';
export { type MatmulOptions, matmul } from '../ops/matmul.ts';
export {
  type GroupNormOptions,
  groupNorm,
  type LayerNormOptions,
  layerNorm,
  rmsNorm,
} from '../ops/norm.ts';
export {
  type PatchifyOptions,
  patchify,
  type UnpatchifyOptions,
  unpatchify,
} from '../ops/patchify.ts';
export { fromRgb, toRgb } from '../ops/pixels.ts';
export {
  absMean,
  countNonFinite,
  max,
  maxAbs,
  mean,
  min,
  type ReduceOptions,
  std,
  sum,
} from '../ops/reduce.ts';
export {
  type RopeLayout,
  type RopeOptions,
  type RopePoolOptions,
  type RopeTable,
  type RopeTableOptions,
  rope,
  ropePool,
  ropeTable,
} from '../ops/rope.ts';
export {
  type ArgOptions,
  argmax,
  argmin,
  cumsum,
  type Order,
  type TopK,
  type TopKOptions,
  topK,
} from '../ops/scan.ts';
export { softmax } from '../ops/softmax.ts';
export {
  Device,
  type DeviceKind,
  type DeviceOptions,
  type IsaLevel,
  type MemoryStats,
} from '../tensor/device.ts';
export type { DType, FloatDType, TypedArray, TypedArrayOf, TypedArrays } from '../tensor/dtype.ts';
export { Generator } from '../tensor/generator.ts';
export type { NativeBuffer, NativeDevice, NativeTensor, Triple } from '../tensor/native-types.ts';
export { keep, type ScopeMember, scope } from '../tensor/scope.ts';
export type { Layout, Shape } from '../tensor/shape.ts';
export type { Storage } from '../tensor/storage.ts';
export {
  empty,
  type FileRange,
  type FloatTensor,
  fromArray,
  fromFile,
  type ScaledWeight,
  type ScaleMode,
  Tensor,
  type Weight,
} from '../tensor/tensor.ts';
export {
  loadTensors,
  type NamedTensors,
  saveTensors,
  type TensorFileMetadata,
} from '../weights/tensor-file.ts';
