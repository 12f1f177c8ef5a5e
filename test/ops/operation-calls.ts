import { attention } from '../../src/ops/attention.ts';
import { conv3d } from '../../src/ops/conv3d.ts';
import {
  arange,
  cast,
  concat,
  contiguous,
  copyInto,
  dequantizeFp8,
  full,
  quantizeFp8,
} from '../../src/ops/copy.ts';
import * as elementwise from '../../src/ops/elementwise.ts';
import { embedding, upsampleNearest } from '../../src/ops/gather.ts';
import { dequantizeGgml } from '../../src/ops/ggml.ts';
import { gather, scatter } from '../../src/ops/indexing.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { groupNorm, layerNorm, rmsNorm } from '../../src/ops/norm.ts';
import { patchify, unpatchify } from '../../src/ops/patchify.ts';
import * as reduce from '../../src/ops/reduce.ts';
import { rope, ropePool, ropeTable } from '../../src/ops/rope.ts';
import { cumsum, topK } from '../../src/ops/scan.ts';
import type { Device } from '../../src/tensor/device.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

/** Arguments of a case by name: tensors from its inputs, the rest from its options. */
export type Arguments = Readonly<Record<string, unknown>>;

type Operation = (...args: never[]) => unknown;

/**
 * The functions of `src/ops` with the names of their positional arguments; what remains is passed behind
 * them as the options object.
 */
const OPERATIONS: Readonly<Record<string, readonly [Operation, ...string[]]>> = {
  linear: [linear, 'x', 'weight', 'bias'],
  matmul: [matmul, 'a', 'b'],
  attention: [attention, 'q', 'k', 'v'],
  layerNorm: [layerNorm, 'x'],
  rmsNorm: [rmsNorm, 'x', 'weight'],
  groupNorm: [groupNorm, 'x', 'weight', 'bias'],
  ropeTable: [ropeTable, 'device'],
  ropePool: [ropePool, 'table'],
  rope: [rope, 'x', 'table'],
  conv3d: [conv3d, 'x', 'weight'],
  patchify: [patchify, 'x', 'weight'],
  unpatchify: [unpatchify, 'x'],
  add: [elementwise.add, 'a', 'b'],
  sub: [elementwise.sub, 'a', 'b'],
  mul: [elementwise.mul, 'a', 'b'],
  div: [elementwise.div, 'a', 'b'],
  lerp: [elementwise.lerp, 'a', 'b', 'weight'],
  affine: [elementwise.affine, 'x', 'alpha', 'beta'],
  clamp: [elementwise.clamp, 'x', 'min', 'max'],
  geluTanh: [elementwise.geluTanh, 'x'],
  silu: [elementwise.silu, 'x'],
  quickGelu: [elementwise.quickGelu, 'x'],
  exp: [elementwise.exp, 'x'],
  relu: [elementwise.relu, 'x'],
  tanh: [elementwise.tanh, 'x'],
  sqrt: [elementwise.sqrt, 'x'],
  rsqrt: [elementwise.rsqrt, 'x'],
  log: [elementwise.log, 'x'],
  maximum: [elementwise.maximum, 'a', 'b'],
  minimum: [elementwise.minimum, 'a', 'b'],
  equal: [elementwise.equal, 'a', 'b'],
  notEqual: [elementwise.notEqual, 'a', 'b'],
  less: [elementwise.less, 'a', 'b'],
  lessEqual: [elementwise.lessEqual, 'a', 'b'],
  greater: [elementwise.greater, 'a', 'b'],
  greaterEqual: [elementwise.greaterEqual, 'a', 'b'],
  where: [elementwise.where, 'condition', 'a', 'b'],
  sum: [reduce.sum, 'x'],
  mean: [reduce.mean, 'x'],
  absMean: [reduce.absMean, 'x'],
  std: [reduce.std, 'x'],
  maxAbs: [reduce.maxAbs, 'x'],
  countNonFinite: [reduce.countNonFinite, 'x'],
  max: [reduce.max, 'x'],
  min: [reduce.min, 'x'],
  cumsum: [cumsum, 'x', 'axis'],
  topK: [topK, 'x', 'k'],
  gather: [gather, 'x', 'indices', 'axis'],
  scatter: [scatter, 'x', 'indices', 'source', 'axis'],
  contiguous: [contiguous, 'x'],
  cast: [cast, 'x', 'dtype'],
  concat: [concat, 'tensors', 'axis'],
  copyInto: [copyInto, 'x', 'target'],
  full: [full, 'device', 'shape', 'dtype', 'value'],
  arange: [arange, 'device', 'count', 'dtype'],
  quantizeFp8: [quantizeFp8, 'weight', 'mode'],
  dequantizeFp8: [dequantizeFp8, 'weight', 'dtype'],
  embedding: [embedding, 'table', 'ids', 'outDtype'],
  upsampleNearest: [upsampleNearest, 'x', 'factor'],
  dequantizeGgml: [dequantizeGgml, 'x', 'type', 'dtype'],
};

/** Calls a function of `src/ops` by name and returns the tensors of its result in order. */
export function callOperation(name: string, device: Device, given: Arguments): Tensor[] {
  const entry = OPERATIONS[name];
  if (entry === undefined) throw new Error(`cases.json names an unknown function ${name}`);
  const [operation, ...positional] = entry;
  const args: Record<string, unknown> = { ...compose(given), device };
  const values = positional.map((argument) => args[argument]);
  const options = Object.entries(args).filter(
    ([argument]) => argument !== 'device' && !positional.includes(argument),
  );
  if (options.length > 0) values.push(Object.fromEntries(options));
  const result = (operation as (...args: unknown[]) => object)(...values);
  if (result instanceof Tensor) return [result];
  return Object.values(result).filter((value) => value instanceof Tensor);
}

/** Puts together the arguments that hold several tensors. */
function compose(given: Arguments): Arguments {
  const { cos, sin, data, scale, mode, queryOffsets, keyOffsets, ...rest } = given;
  const parts = Object.entries(rest).filter(([name]) => /^part\d+$/.test(name));
  if (parts.length > 0) return { tensors: parts.map(([, tensor]) => tensor), axis: rest.axis };
  if (cos !== undefined) return { ...rest, table: { cos, sin } };
  if (data !== undefined) return { ...rest, weight: { data, scale, mode } };
  if (queryOffsets !== undefined) return { ...rest, scale, segments: { queryOffsets, keyOffsets } };
  return given;
}
