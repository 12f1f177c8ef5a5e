import { bytesOf, dtypeOfCode } from '../dtype.ts';
import type { NativeModule, NativeTensor } from '../native-types.ts';

/** Operations of the addon that compute or move tensors. */
export type Operation =
  | ('matmul' | 'attention' | 'conv3d' | 'patchify' | 'unpatchify')
  | ('layerNorm' | 'rmsNorm' | 'groupNorm' | 'ropeTable' | 'ropePool' | 'rope')
  | ('elementwise' | 'reduce' | 'copy' | 'fill' | 'quantize' | 'dequantize')
  | ('embedding' | 'upsample' | 'indexed' | 'cumsum' | 'topK' | 'dequantizeGgml');

/** Arguments of an operation. */
export type CallOf<O extends Operation> = Parameters<NativeModule[O]>[1];

/** What an operation does, before it is known where it runs. */
export interface Work {
  /** Additions, multiplications, comparisons and function values; a fused multiply-add counts as two. */
  readonly flops: number;
  /** Bytes read and written when every operand crosses the device's memory once. */
  readonly movedBytes: number;
}

/** What an operation computes. A missing `traffic` is all operands. */
interface OperationTraits<O extends Operation> {
  readonly flops: (call: CallOf<O>) => number;
  /** Bytes read and written where that is not every operand once. */
  readonly traffic?: (call: CallOf<O>) => number;
}

const none = (): number => 0;
const each =
  (flops: number) =>
  ({ out }: { readonly out: NativeTensor }): number =>
    flops * sizeOf(out);

/**
 * Arithmetic of every operation, from the shapes of its operands. Products are exact; the others, which memory bounds,
 * count a few operations an element.
 */
const OPERATIONS: { readonly [O in Operation]: OperationTraits<O> } = {
  matmul: { flops: ({ a, out }) => 2 * sizeOf(out) * a.shape[2]! },
  attention: {
    flops: (call) => 4 * seenPairs(call) * call.q.shape[0]! * call.q.shape[2]! * call.q.shape[3]!,
  },
  conv3d: { flops: ({ weight, out }) => 2 * sizeOf(out) * product(weight.shape.slice(1)) },
  patchify: { flops: ({ weight, out }) => 2 * sizeOf(out) * product(weight.shape.slice(1)) },
  unpatchify: { flops: none },
  layerNorm: { flops: each(8) },
  rmsNorm: { flops: each(5) },
  groupNorm: { flops: each(8) },
  ropeTable: { flops: ({ cos }) => 4 * sizeOf(cos) },
  ropePool: { flops: ({ cos }) => 2 * sizeOf(cos) },
  rope: { flops: each(3) },
  elementwise: { flops: each(1) },
  reduce: { flops: ({ x }) => sizeOf(x) },
  copy: { flops: none },
  fill: { flops: none },
  quantize: { flops: each(2) },
  dequantize: { flops: each(1) },
  embedding: { flops: none, traffic: ({ out }) => 2 * bytesOfView(out) },
  upsample: { flops: none },
  indexed: {
    flops: none,
    traffic: ({ x, indices, out, isScatter }) =>
      bytesOfView(indices) + 2 * bytesOfView(isScatter ? x : out),
  },
  cumsum: { flops: each(1) },
  topK: { flops: ({ x }) => sizeOf(x) },
  dequantizeGgml: { flops: each(2) },
};

/** Names of all operations. */
export const OPERATION_NAMES: readonly Operation[] = Object.keys(OPERATIONS) as Operation[];

/** What a call of an operation does. */
export function workOf<O extends Operation>(operation: O, call: CallOf<O>): Work {
  const { flops, traffic = bytesOfOperands } = OPERATIONS[operation] as OperationTraits<O>;
  return { flops: flops(call), movedBytes: traffic(call) };
}

/** Pairs of a query and a key that it sees, of one head; segments are not looked into, which is an upper bound. */
function seenPairs({ q, k, mask, frameTokens }: CallOf<'attention'>): number {
  const [queries, keys] = [q.shape[1]!, k.shape[1]!];
  const [isCausal, isFrameCausal] = [mask === 1, mask === 2];
  if (!isCausal && !isFrameCausal) return queries * keys;
  const step = isCausal ? 1 : frameTokens;
  const lead = isCausal ? keys - queries : 0;
  let pairs = 0;
  for (let begin = 0; begin < queries; begin += step) {
    const numSeen = Math.max(0, Math.min(keys, lead + begin + step));
    pairs += Math.min(step, queries - begin) * numSeen;
  }
  return pairs;
}

function bytesOfOperands(call: object): number {
  return Object.values(call)
    .filter(isTensor)
    .reduce((sum, tensor) => sum + bytesOfView(tensor), 0);
}

function isTensor(value: unknown): value is NativeTensor {
  return typeof value === 'object' && value !== null && 'buffer' in value;
}

/** Bytes that a view covers; axes that repeat are read once. */
function bytesOfView({ dtype, shape, strides }: NativeTensor): number {
  const extents = shape.map((extent, axis) => (strides[axis] === 0 ? Math.min(extent, 1) : extent));
  return product(extents) * bytesOf(dtypeOfCode(dtype));
}

function sizeOf({ shape }: NativeTensor): number {
  return product(shape);
}

function product(extents: readonly number[]): number {
  return extents.reduce((size, extent) => size * extent, 1);
}
