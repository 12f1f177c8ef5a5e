import {
  checkDType,
  checkFinite,
  checkOperands,
  checkOrdered,
  checkTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { broadcastShapes, expandedStrides, type Shape } from '../tensor/shape.ts';
import { empty, type FloatTensor, type Tensor } from '../tensor/tensor.ts';
import { full } from './copy.ts';

/** The values of `enum class ElementwiseOp` in kernels/elementwise/elementwise_args.h. */
const CODES = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  lerp: 4,
  affine: 5,
  clamp: 6,
  geluTanh: 7,
  silu: 8,
  quickGelu: 9,
  exp: 10,
  relu: 11,
  tanh: 12,
  sqrt: 13,
  rsqrt: 14,
  log: 15,
  maximum: 16,
  minimum: 17,
  equal: 18,
  notEqual: 19,
  less: 20,
  lessEqual: 21,
  greater: 22,
  greaterEqual: 23,
  where: 24,
} as const;

type Operation = keyof typeof CODES;

/** A tensor, or a number that broadcasts like one. */
export type FloatOperand = FloatTensor | number;

const CONDITIONS: readonly DType[] = ['u8', 'f32', 'f16', 'bf16'];

interface Operands {
  readonly a: Tensor;
  readonly b?: Tensor;
  readonly c?: Tensor;
  readonly alpha?: number;
  readonly beta?: number;
}

function run<E extends DType>(operation: Operation, operands: Operands, outDtype: E): Tensor<E> {
  const { a, b, c, alpha = 0, beta = 0 } = operands;
  const device = checkOperands(operation, { a }, { b, c });
  checkDType(operation, 'a', a);
  checkDType(operation, 'b', b);
  checkDType(operation, 'c', c, operation === 'where' ? CONDITIONS : undefined);
  let shape: Shape = a.shape;
  for (const operand of [b, c]) {
    if (operand !== undefined) shape = broadcastShapes(operation, shape, operand.shape);
  }
  const out = empty(device, shape, outDtype);
  if (out.size === 0) return out;
  const stretched = (operand: Tensor): NativeTensor => ({
    ...operand.native,
    shape,
    strides: expandedStrides(operation, operand, shape),
  });
  native().elementwise(device.native, {
    operation: CODES[operation],
    a: stretched(a),
    b: b && stretched(b),
    c: c && stretched(c),
    out: out.native,
    alpha,
    beta,
  });
  return out;
}

/** An operation on one tensor, with the dtype of its operand. */
function map<D extends DType>(
  operation: Operation,
  x: Tensor<D>,
  numbers: { readonly alpha?: number; readonly beta?: number } = {},
): Tensor<D> {
  checkTensor(operation, 'x', x);
  return run(operation, { a: x, ...numbers }, x.dtype);
}

/** An operation on two tensors, or a tensor and a number that broadcasts like one. */
function combine<E extends DType>(
  operation: Operation,
  a: Tensor,
  b: Tensor | number,
  outDtype?: E,
): Tensor<E> {
  checkTensor(operation, 'a', a);
  const dtype = outDtype ?? (a.dtype as DType as E);
  if (typeof b !== 'number') {
    checkTensor(operation, 'b', b);
    return run(operation, { a, b }, dtype);
  }
  using operand = scalar(a, b);
  return run(operation, { a, b: operand }, dtype);
}

/** A tensor for a number, so that it broadcasts like one. */
function scalar(beside: Tensor, value: number): Tensor<'f32'> {
  return full(beside.device, [], 'f32', value);
}

/**
 * `a + b`. Operands broadcast; arithmetic is f32, and the result is rounded once to the dtype of `a`. This
 * holds for every function of this file that does not say otherwise; none takes integers.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` naming both shapes, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function add<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  checkTensor('add', 'a', a);
  return typeof b === 'number' ? affine(a, 1, b) : combine('add', a, b);
}

/** `a - b`. */
export function sub<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  checkTensor('sub', 'a', a);
  return typeof b === 'number' ? affine(a, 1, -b) : combine('sub', a, b);
}

/** `a * b`. */
export function mul<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  checkTensor('mul', 'a', a);
  return typeof b === 'number' ? affine(a, b, 0) : combine('mul', a, b);
}

/** `a / b`. */
export function div<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  return combine('div', a, b);
}

/** The larger of `a` and `b`; NaN where one of them is. `max` reduces axes. */
export function maximum<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  return combine('maximum', a, b);
}

/** The smaller of `a` and `b`; NaN where one of them is. `min` reduces axes. */
export function minimum<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<D> {
  return combine('minimum', a, b);
}

/** `a * (1 - weight) + b * weight`. */
export function lerp<D extends DType>(
  a: FloatTensor<D>,
  b: FloatTensor,
  weight: FloatOperand,
): Tensor<D> {
  checkTensor('lerp', 'a', a);
  checkTensor('lerp', 'b', b);
  if (typeof weight !== 'number') {
    checkTensor('lerp', 'weight', weight);
    return lerpTensors(a, b, weight);
  }
  using share = scalar(a, weight);
  return lerpTensors(a, b, share);
}

function lerpTensors<D extends DType>(a: Tensor<D>, b: Tensor, weight: Tensor): Tensor<D> {
  return run('lerp', { a, b, c: weight }, a.dtype);
}

/** `x * alpha + beta` with numbers that are rounded to f32. */
export function affine<D extends DType>(x: FloatTensor<D>, alpha: number, beta: number): Tensor<D> {
  checkFinite('affine', 'alpha', alpha);
  checkFinite('affine', 'beta', beta);
  return map('affine', x, { alpha, beta });
}

/** `min(max(x, min), max)`; infinite bounds are open. */
export function clamp<D extends DType>(x: FloatTensor<D>, min: number, max: number): Tensor<D> {
  checkOrdered('clamp', 'min', min);
  checkOrdered('clamp', 'max', max);
  return map('clamp', x, { alpha: min, beta: max });
}

/** `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`. */
export function geluTanh<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('geluTanh', x);
}

/** `x / (1 + exp(-x))`. */
export function silu<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('silu', x);
}

/** `x / (1 + exp(-1.702 x))`. */
export function quickGelu<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('quickGelu', x);
}

/** `max(x, 0)`, NaN where `x` is. */
export function relu<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('relu', x);
}

/** The hyperbolic tangent. */
export function tanh<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('tanh', x);
}

/** `e^x`. */
export function exp<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('exp', x);
}

/** The natural logarithm: minus infinity of 0, NaN below. */
export function log<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('log', x);
}

/** The square root, NaN below 0. */
export function sqrt<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('sqrt', x);
}

/** `1 / sqrt(x)`: infinity of 0, NaN below. */
export function rsqrt<D extends DType>(x: FloatTensor<D>): Tensor<D> {
  return map('rsqrt', x);
}

/** 1 where `a = b`, else 0, as u8 for {@link where}; so do all comparisons. NaN equals nothing. */
export function equal<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('equal', a, b, 'u8');
}

/** 1 where `a` differs from `b`, or one is NaN. */
export function notEqual<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('notEqual', a, b, 'u8');
}

/** 1 where `a < b`. */
export function less<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('less', a, b, 'u8');
}

/** 1 where `a <= b`. */
export function lessEqual<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('lessEqual', a, b, 'u8');
}

/** 1 where `a > b`. */
export function greater<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('greater', a, b, 'u8');
}

/** 1 where `a >= b`. */
export function greaterEqual<D extends DType>(a: FloatTensor<D>, b: FloatOperand): Tensor<'u8'> {
  return combine('greaterEqual', a, b, 'u8');
}

/**
 * `a` where `condition` is not 0, else `b`. All three broadcast.
 *
 * @param condition - u8, or any float dtype, of which NaN counts as not 0.
 * @param a - a tensor or a number, as `b`; one of them is a tensor.
 * @returns dtype of `a`, or of `b` where `a` is a number.
 */
export function where<D extends DType>(
  condition: Tensor,
  a: FloatTensor<D> | number,
  b: FloatTensor<D> | number,
): Tensor<D> {
  checkTensor('where', 'condition', condition);
  if (typeof a === 'number' && typeof b === 'number') {
    throw mismatch('ERR_ARGUMENT', 'where', 'a', 'a tensor beside a number', 'two numbers');
  }
  using first = branch(condition, 'a', a);
  using second = branch(condition, 'b', b);
  const { dtype } = typeof a === 'number' ? second : first;
  return run('where', { a: first, b: second, c: condition }, dtype as D);
}

function branch(condition: Tensor, argument: string, value: Tensor | number): Tensor {
  if (typeof value === 'number') return scalar(condition, value);
  checkTensor('where', argument, value);
  return value.retain();
}
