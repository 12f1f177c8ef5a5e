import type { DType } from '../../src/tensor/dtype.ts';
import type { CaseInput, OperationCase, ViewStep } from './operation-cases.ts';

/** A flat line of `kernels/{matmul,attention,conv3d,patchify}/cases.json`: sizes, not tensors. */
export type SizeLine = Readonly<Record<string, number | string | boolean | readonly number[]>>;

type Inputs = Record<string, CaseInput>;

/** What a family makes of a line. */
interface Call {
  readonly function: string;
  readonly inputs: Inputs;
  readonly options: Record<string, unknown>;
  readonly dtype: DType;
}

/** Typed access to the fields of a line. */
class Sizes {
  readonly line: SizeLine;

  constructor(line: SizeLine) {
    this.line = line;
  }

  number(key: string, otherwise = 0): number {
    return Number(this.line[key] ?? otherwise);
  }

  flag(key: string): boolean {
    return this.line[key] === true;
  }

  dtype(key: string, otherwise: DType = 'bf16'): DType {
    return (this.line[key] ?? otherwise) as DType;
  }

  list(key: string): readonly number[] | undefined {
    return this.line[key] as readonly number[] | undefined;
  }

  triple(key: string, otherwise: number): [number, number, number] {
    const [t = otherwise, h = otherwise, w = otherwise] = this.list(key) ?? [];
    return [t, h, w];
  }
}

const FAMILIES: Readonly<Record<string, (sizes: Sizes) => Call>> = {
  matmul: matmulCall,
  attention: attentionCall,
  conv3d: conv3dCall,
  patchify: (sizes) => (sizes.list('grid') ? unpatchifyCall(sizes) : patchifyCall(sizes)),
};

/**
 * The call of `src/ops` that a line of sizes stands for. The C++ tests of the CUDA kernels read the same lines;
 * kernels/test/<family>_test.cc is the reference for the fields.
 */
export function productCase(family: string, line: SizeLine): OperationCase {
  const call = FAMILIES[family];
  if (call === undefined) throw new Error(`cases.json: no function in a line of ${family}`);
  const { dtype, ...rest } = call(new Sizes(line));
  const { bench = false, tolerance } = line;
  return {
    ...rest,
    name: JSON.stringify(line),
    dtypes: [dtype],
    tolerance: tolerance === undefined ? undefined : String(tolerance),
    bench: bench === true,
  };
}

function matmulCall(sizes: Sizes): Call {
  return sizes.line.batch === undefined ? linearCall(sizes) : batchCall(sizes);
}

/** A batch of products: `a` `[batch, m, k]` and the transposed view of `[batch, n, k]`; shared ones have no batch. */
function batchCall(sizes: Sizes): Call {
  const [m, n, k] = [sizes.number('m'), sizes.number('n'), sizes.number('k')];
  const batch = [sizes.number('batch')];
  const dtype = sizes.dtype('a');
  const stack = (rows: number, name: string, options: Partial<CaseInput>): CaseInput => {
    const shape = [
      ...(sizes.flag(`${name}Shared`) ? [] : batch),
      rows,
      k + sizes.number(`${name}Pad`),
    ];
    return cut(input(shape, options), shape.length - 1, k);
  };
  const w = stack(n, 'w', { dtype: sizes.dtype('w', dtype) });
  const axes = w.shape.length === 2 ? [1, 0] : [0, 2, 1];
  const b = { ...w, view: [...w.view, { method: 'permute' as const, numbers: axes }] };
  const options = { outDtype: sizes.dtype('out', dtype) };
  return { function: 'matmul', inputs: { a: stack(m, 'a', {}), b }, options, dtype };
}

function linearCall(sizes: Sizes): Call {
  const [m, n, k] = [sizes.number('m'), sizes.number('n'), sizes.number('k')];
  const dtype = sizes.dtype('a');
  const out = sizes.dtype('out', dtype);
  // The gate has one row per entry of the batch, so rows that share one become an entry.
  const gateRows = sizes.line.gate ? sizes.number('gateRows', 1) : m;
  const length = m % gateRows === 0 ? gateRows : m;
  const matrix = (width: number, padding: string, options: Partial<CaseInput> = {}): CaseInput =>
    cut(input([m / length, length, width + sizes.number(padding)], options), 2, width);
  const inputs: Inputs = { x: matrix(k, 'aPad'), ...weightInputs(sizes, n, k) };
  if (sizes.line.bias) inputs.bias = input([n], { dtype: sizes.dtype('bias') });
  if (sizes.line.gate) inputs.gate = input([m / length, n], { dtype: sizes.dtype('gate') });
  if (sizes.flag('residual')) inputs.residual = matrix(n, 'residualPad', { dtype: out });
  if (sizes.number('outPad') > 0) inputs.into = matrix(n, 'outPad', { dtype: out });
  const options: Record<string, unknown> = { outDtype: out };
  if (sizes.line.activation) options.activation = sizes.line.activation;
  if (inputs.data) options.mode = scaleMode(sizes);
  return { function: 'linear', inputs, options, dtype };
}

/** `src/ops` has no fp8 weight without a scale; one scale of 1 is the same. */
function scaleMode(sizes: Sizes): string {
  const mode = String(sizes.line.scale ?? 'none');
  return mode === 'none' ? 'tensor' : mode;
}

function weightInputs(sizes: Sizes, n: number, k: number): Inputs {
  const dtype = sizes.dtype('w', sizes.dtype('a'));
  const padded = [n, k + sizes.number('wPad')];
  if (dtype !== 'f8e4m3') return { weight: cut(input(padded, { dtype }), 1, k) };
  const data = cut(input(padded, { dtype, deviation: 100 }), 1, k);
  if (sizes.line.scale === undefined || sizes.line.scale === 'none') {
    return { data, scale: input([1], { dtype: 'f32', values: [1] }) };
  }
  const shapes: Record<string, number[]> = { tensor: [1], channel: [n], block64: [n, k / 64] };
  const shape = shapes[scaleMode(sizes)]!;
  return { data, scale: input(shape, { dtype: 'f32', mean: 0.01, deviation: 0.002 }) };
}

function attentionCall(sizes: Sizes): Call {
  const heads = sizes.number('heads', 1);
  const width = sizes.number('width');
  const dtype = sizes.dtype('dtype');
  // Queries near +1 and keys near -1: a masked or missing key that leaks in with score 0 would win.
  const shift = sizes.flag('adversarial') ? 1 : 0;
  const rows = (tokens: number, count: number, mean: number): CaseInput =>
    // A gap behind the heads of every token: heads of another tensor, as in a fused q, k, v.
    cut(
      input([sizes.number('batch', 1), tokens, count + (sizes.number('pad') > 0 ? 1 : 0), width], {
        mean,
      }),
      2,
      count,
    );
  const kvHeads = sizes.number('kvHeads', heads);
  const inputs = {
    q: rows(sizes.number('l'), heads, shift),
    k: rows(sizes.number('s'), kvHeads, -shift),
    v: rows(sizes.number('s'), kvHeads, shift),
  };
  const { mask = 'none', frameTokens, scale, queryOffsets, keyOffsets } = sizes.line;
  const given = Object.entries({ frameTokens, scale, queryOffsets, keyOffsets });
  const options = { mask, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) };
  return { function: 'attention', inputs, options, dtype };
}

function conv3dCall(sizes: Sizes): Call {
  const [cin, cout] = [sizes.number('cin'), sizes.number('cout')];
  const batch = sizes.number('batch', 1);
  const dtype = sizes.dtype('dtype');
  const [extent, kernel] = [sizes.triple('extent', 1), sizes.triple('kernel', 1)];
  const [stride, spread] = [sizes.triple('stride', 1), sizes.triple('spread', 1)];
  const outExtent = extent.map((size, axis) => Math.floor((size - 1) / stride[axis]!) + 1);
  const target = [batch, ...outExtent.map((size, axis) => size * spread[axis]!), cout];
  const padding = sizes.number('outPad');
  const isStrided = padding > 0 || spread.some((step) => step > 1);
  const output = cut(
    input(target.with(4, cout + padding), {
      view: spread.map((step, axis) => slice(axis + 1, target[axis + 1]!, step)),
    }),
    4,
    cout,
  );
  const inputs: Inputs = {
    x: input([batch, ...extent, cin]),
    weight: input([cout, ...kernel, cin], { dtype: sizes.dtype('w', dtype) }),
  };
  if (sizes.line.bias) inputs.bias = input([cout], { dtype: sizes.dtype('bias') });
  if (sizes.flag('residual')) inputs.residual = output;
  if (isStrided) inputs.into = output;
  const pad = sizes.list('pad');
  return { function: 'conv3d', inputs, options: { stride, ...(pad && { pad }) }, dtype };
}

function patchifyCall(sizes: Sizes): Call {
  const [channels, width] = [sizes.number('channels'), sizes.number('width')];
  const batch = sizes.number('batch', 1);
  const [extent, kernel] = [sizes.triple('extent', 1), sizes.triple('kernel', 1)];
  const dtype = sizes.dtype('x');
  const lastAxis = extent[2] + sizes.number('pad');
  const x = sizes.flag('channelsLast')
    ? input([batch, ...extent, channels], {
        view: [{ method: 'permute', numbers: [0, 4, 1, 2, 3] }],
      })
    : cut(input([batch, channels, extent[0], extent[1], lastAxis]), 4, extent[2]);
  const weight = input([width, channels, ...kernel], { dtype: sizes.dtype('w', dtype) });
  const inputs: Inputs = { x, weight };
  if (sizes.line.bias) inputs.bias = input([width], { dtype: sizes.dtype('bias') });
  const options = { outDtype: sizes.dtype('out', dtype) };
  return { function: 'patchify', inputs, options, dtype };
}

function unpatchifyCall(sizes: Sizes): Call {
  const channels = sizes.number('channels');
  const [grid, patch] = [sizes.triple('grid', 1), sizes.triple('patch', 1)];
  const width = [...patch, channels].reduce((product, size) => product * size);
  const tokens = grid.reduce((product, size) => product * size);
  const padded = [sizes.number('batch', 1), tokens, width + sizes.number('pad')];
  return {
    function: 'unpatchify',
    inputs: { x: cut(input(padded), 2, width) },
    options: { grid, patch, channels },
    dtype: sizes.dtype('x'),
  };
}

function input(shape: readonly number[], options: Partial<CaseInput> = {}): CaseInput {
  return { shape, dtype: undefined, mean: 0, deviation: 1, values: [], view: [], ...options };
}

/** The first `size` positions of an axis. */
function cut(source: CaseInput, axis: number, size: number): CaseInput {
  return { ...source, view: [...source.view, slice(axis, size, 1)] };
}

function slice(axis: number, end: number, step: number): ViewStep {
  return { method: 'slice', numbers: [axis, 0, end, step] };
}
