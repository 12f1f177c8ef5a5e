import { SelfAttention } from '../../src/nn/attention.ts';
import { runChain } from '../../src/nn/block-chain.ts';
import { CausalConv3d } from '../../src/nn/causal-conv3d.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Mlp } from '../../src/nn/mlp.ts';
import { GroupNorm, LayerNorm, RmsNorm } from '../../src/nn/norm.ts';
import { timestepEmbedding } from '../../src/nn/timestep-embedding.ts';
import { attention } from '../../src/ops/attention.ts';
import { conv1d, conv2d } from '../../src/ops/conv.ts';
import { conv3d } from '../../src/ops/conv3d.ts';
import * as copies from '../../src/ops/copy.ts';
import * as elementwise from '../../src/ops/elementwise.ts';
import { embedding, upsampleNearest } from '../../src/ops/gather.ts';
import { dequantizeGgml } from '../../src/ops/ggml.ts';
import { gather, pad, scatter, stack, take } from '../../src/ops/indexing.ts';
import { interpolate } from '../../src/ops/interpolate.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { groupNorm, layerNorm, rmsNorm } from '../../src/ops/norm.ts';
import { patchify, unpatchify } from '../../src/ops/patchify.ts';
import { fromRgb, toRgb } from '../../src/ops/pixels.ts';
import * as reduce from '../../src/ops/reduce.ts';
import { rope, ropePool, ropeTable } from '../../src/ops/rope.ts';
import { argmax, argmin, cumsum, topK } from '../../src/ops/scan.ts';
import { softmax } from '../../src/ops/softmax.ts';
import type { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { empty, fromArray, fromFile, type Tensor } from '../../src/tensor/tensor.ts';
import { loadTensors, saveTensors } from '../../src/weights/tensor-file.ts';

/** A function and arguments that it takes. */
export interface Example {
  readonly name: string;
  readonly call: (...args: never[]) => unknown;
  readonly args: readonly unknown[];
}

type Call = Example['call'];

function examplesOf(calls: readonly (readonly [Call, ...unknown[]])[]): Example[] {
  return calls.map(([call, ...args]) => ({ name: call.name, call, args }));
}

/** Calls of the methods of one object. */
function methodsOf(
  receiver: object,
  calls: readonly (readonly [string, ...unknown[]])[],
): Example[] {
  return calls.map(([method, ...args]) => ({
    name: `${receiver.constructor.name}.${method}`,
    call: (...given: never[]) => (receiver as Record<string, Call>)[method]!(...given),
    args,
  }));
}

function filled(device: Device, ...shape: number[]): Tensor<'f32'> {
  return copies.full(device, shape, 'f32', 0.5);
}

/** Operations on tokens. */
export function tokenExamples(device: Device): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const grid = { framePositions: [0, 1], height: 1, width: 2 };
  const angles = { ...grid, axisWidths: [2, 2, 4] as const, theta: 256 };
  const table = ropeTable(device, angles);
  const heads = t(1, 4, 2, 8);
  const segments = { queryOffsets: [0, 2, 4], keyOffsets: [0, 2, 4] };
  const modulation = { scale: t(2, 4), shift: t(2, 4) };
  const fp8 = copies.quantizeFp8(t(3, 4), 'channel');
  return examplesOf([
    [linear, t(2, 4), t(3, 4), t(3), { gate: t(1, 3), residual: t(2, 3), into: t(2, 3) }],
    [linear, t(2, 4), t(3, 4), t(3), { activation: 'silu', outDtype: 'bf16' }],
    [linear, t(2, 4), { ...fp8 }],
    [matmul, t(2, 4), t(3, 4, 3), { outDtype: 'bf16' }],
    [attention, heads, heads, heads, { scale: 1, mask: 'frame-causal', frameTokens: 2 }],
    [attention, heads, heads, heads, { segments }],
    [layerNorm, t(2, 3, 4), { eps: 1e-6, weight: t(4), bias: t(4), ...modulation }],
    [rmsNorm, t(2, 4), t(4), { eps: 1e-6 }],
    [ropeTable, device, angles],
    [ropePool, { ...table }, { grid: [2, 1, 2], pool: [2, 2, 2] }],
    [rope, heads, table, { layout: 'half-split', weight: t(8), eps: 1e-6, into: t(1, 4, 2, 8) }],
    [embedding, t(4, 3), [0, 3, 1], 'f32'],
  ]);
}

/** Operations on volumes, pictures and sequences. */
export function volumeExamples(device: Device): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const geometry = { stride: [1, 1, 1], pad: [2, 1, 1], outExtent: [2, 3, 3] };
  const out = { bias: t(5), residual: t(1, 2, 3, 3, 5), into: t(1, 2, 3, 3, 5) };
  const plane = { bias: t(5), stride: [1, 1], padding: [1, 1], paddingMode: 'reflect' };
  return examplesOf([
    [conv3d, t(1, 2, 3, 3, 4), t(5, 3, 3, 3, 4), { ...geometry, ...out }],
    [conv2d, t(1, 3, 3, 4), t(5, 3, 3, 4), plane],
    [conv1d, t(1, 3, 4), t(5, 3, 4), { bias: t(5), stride: 1, padding: 1 }],
    [groupNorm, t(1, 3, 4), t(4), t(4), { groups: 2, eps: 1e-6, silu: true }],
    [patchify, t(1, 2, 2, 4, 4), t(6, 2, 1, 2, 2), { bias: t(6), outDtype: 'f16' }],
    [unpatchify, t(1, 8, 8), { grid: [2, 2, 2], patch: [1, 2, 2], channels: 2 }],
    [upsampleNearest, t(1, 2, 2, 2, 3), [2, 2, 2]],
    [interpolate, t(1, 2, 2, 3), [3, 3], 'bilinear'],
  ]);
}

/** Operations on elements, of any shape. */
export function elementwiseExamples(device: Device): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const { lerp, affine, clamp, where, ...rest } = elementwise;
  const pairs = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];
  const comparisons = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'];
  const isBinary = (name: string): boolean => [...pairs, ...comparisons].includes(name);
  const plain = Object.entries(rest).map(([name, call]): [Call, ...unknown[]] =>
    isBinary(name) ? [call, t(2, 3), t(3)] : [call, t(2, 3)],
  );
  const condition = copies.full(device, [2, 3], 'u8', 1);
  return examplesOf([
    ...plain,
    [lerp, t(2, 3), t(2, 3), 0.5],
    [affine, t(2, 3), 2, 1],
    [clamp, t(2, 3), 0, 1],
    [where, condition, t(2, 3), 0],
  ]);
}

/** Reductions, scans and what chooses elements. */
export function choosingExamples(device: Device): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const indices = fromArray(device, [0, 1], [1, 2], 'i32');
  const options = { axis: 1, keepAxis: true, outDtype: 'f32' };
  const { absMean, countNonFinite, sum, ...rest } = reduce;
  return examplesOf([
    ...Object.values(rest).map((call): [Call, ...unknown[]] => [call, t(2, 3, 4), options]),
    [sum, t(2, 3, 4), options],
    [sum, t(2, 3, 4), { axes: [0, 1] }],
    [absMean, t(2, 3), { minus: t(2, 3) }],
    [countNonFinite, t(2, 3), { axis: 1, keepAxis: true }],
    [softmax, t(2, 3), 1],
    [cumsum, t(2, 3), 1, { outDtype: 'bf16' }],
    [topK, t(2, 3), 2, { axis: 1, order: 'smallest' }],
    [argmax, t(2, 3), { axis: 1, keepAxis: true }],
    [argmin, t(2, 3), { axis: 1, keepAxis: true }],
    [gather, t(2, 2), indices, 0],
    [scatter, t(2, 2), indices, t(1, 2), 0],
    [take, t(2, 3), [0, 1], 1],
    [stack, [t(2, 3), t(2, 3)], 0],
    [
      pad,
      t(2, 3),
      [
        [0, 1],
        [1, 1],
      ],
      'replicate',
    ],
  ]);
}

/** What makes and copies tensors. */
export function makingExamples(device: Device, folder: string): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const path = `${folder}/numbers.safetensors`;
  const save = { name: 'saveTensors', call: (map: never) => saveTensors(path, map) };
  const made = examplesOf([
    [copies.cast, t(2, 3), 'bf16'],
    [copies.concat, [t(2, 3), t(1, 3)], 0],
    [copies.contiguous, t(2, 3)],
    [copies.copyInto, t(2, 3), t(2, 3)],
    [copies.full, device, [2, 3], 'f32', 1],
    [copies.zeros, device, [2, 3], 'f32'],
    [copies.arange, device, 3, 'f32'],
    [copies.to, t(2, 3), device],
    [copies.quantizeFp8, t(2, 64), 'block64'],
    [fromRgb, device, new Uint8Array(6), [1, 2]],
    [toRgb, t(3, 1, 2, 2)],
    [dequantizeGgml, copies.cast(t(34), 'u8'), 'Q8_0', 'f32'],
    [copies.dequantizeFp8, { ...copies.quantizeFp8(t(2, 64), 'block64') }, 'f32'],
    [empty, device, [2, 3], 'f32'],
    [fromArray, device, [1, 2], [2], 'f32'],
    [fromFile, device, { path, byteOffset: 0 }, [2], 'f32'],
    [loadTensors, device, path],
  ]);
  return [{ ...save, args: [{ a: t(2) }] }, ...made];
}

/** Methods. */
export function methodExamples(device: Device): Example[] {
  const tensor = methodsOf(filled(device, 2, 3), [
    ['reshape', [3, 2]],
    ['permute', [1, 0]],
    ['slice', 1, 0, 2, 1],
    ['split', 1, [1, 2]],
    ['expand', [2, 2, 3]],
    ['unsqueeze', 0],
    ['bitcast', 'u8'],
  ]);
  const row = methodsOf(filled(device, 1, 3), [['squeeze', 0]]);
  const generator = methodsOf(new Generator(1), [
    ['randn', device, [2, 3]],
    ['uniform', device, [2, 3], 0, 1],
    ['nextNormals', 3],
  ]);
  return [...tensor, ...row, ...generator];
}

/** Layers and what drives them. */
export function layerExamples(device: Device): Example[] {
  const t = (...shape: number[]): Tensor<'f32'> => filled(device, ...shape);
  const square = (): Linear => new Linear(t(4, 4), t(4));
  const projections = { q: square(), k: square(), v: square(), out: square() };
  const step = ({ x }: { x: Tensor<'f32'> }) => ({ x: elementwise.relu(x) });
  const forwards: [object, ...unknown[]][] = [
    [square(), t(2, 4), { activation: 'silu' }],
    [new Mlp(square(), square(), 'silu'), t(2, 4), { residual: t(2, 4) }],
    [new LayerNorm(t(4), t(4), 1e-6), t(2, 4)],
    [new RmsNorm(t(4), 1e-6), t(2, 4)],
    [new GroupNorm(t(4), t(4), { groups: 2, eps: 1e-6 }), t(1, 3, 4), { silu: true }],
    [new SelfAttention(projections, 2), t(1, 3, 4), { mask: 'causal' }, { residual: t(1, 3, 4) }],
    [
      new CausalConv3d(t(4, 3, 3, 3, 4), t(4)),
      t(1, 2, 3, 3, 4),
      { residual: t(1, 2, 3, 3, 4), collapseSingleFrame: true },
    ],
  ];
  return [
    ...forwards.flatMap(([layer, ...args]) => methodsOf(layer, [['forward', ...args]])),
    ...examplesOf([
      [timestepEmbedding, device, 500, 4, 'f32'],
      [runChain, { x: t(2) }, [step, step], async () => {}],
    ]),
  ];
}
