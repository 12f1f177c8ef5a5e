import { checkDType, checkFinite, checkOperands } from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { broadcastShapes, expandedStrides, type Shape } from '../tensor/shape.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';
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
} as const;

type Operation = keyof typeof CODES;

interface Operands<D extends DType> {
  readonly a: Tensor<D>;
  readonly b?: Tensor;
  readonly c?: Tensor;
  readonly alpha?: number;
  readonly beta?: number;
}

function run<D extends DType>(operation: Operation, operands: Operands<D>): Tensor<D> {
  const { a, b, c, alpha = 0, beta = 0 } = operands;
  const device = checkOperands(operation, { a, b, c });
  let shape: Shape = a.shape;
  for (const [argument, operand] of [
    ['a', a],
    ['b', b],
    ['c', c],
  ] as const) {
    checkDType(operation, argument, operand);
    if (operand !== undefined) shape = broadcastShapes(operation, shape, operand.shape);
  }
  const out = empty(device, shape, a.dtype);
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

/** A tensor for a number, so that it broadcasts like one. */
function scalar(a: Tensor, value: number): Tensor {
  checkOperands('scalar', { a });
  return full(a.device, [], 'f32', value);
}

/**
 * `a + b`. Operands broadcast; arithmetic is f32, and the result is rounded once to the dtype of `a`. This
 * holds for every function of this file.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` naming both shapes, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`.
 */
export function add<D extends DType>(a: Tensor<D>, b: Tensor | number): Tensor<D> {
  return typeof b === 'number' ? affine(a, 1, b) : run('add', { a, b });
}

/** `a - b`. */
export function sub<D extends DType>(a: Tensor<D>, b: Tensor | number): Tensor<D> {
  return typeof b === 'number' ? affine(a, 1, -b) : run('sub', { a, b });
}

/** `a * b`. */
export function mul<D extends DType>(a: Tensor<D>, b: Tensor | number): Tensor<D> {
  return typeof b === 'number' ? affine(a, b, 0) : run('mul', { a, b });
}

/** `a / b`. */
export function div<D extends DType>(a: Tensor<D>, b: Tensor | number): Tensor<D> {
  if (typeof b !== 'number') return run('div', { a, b });
  using divisor = scalar(a, b);
  return run('div', { a, b: divisor });
}

/** `a * (1 - weight) + b * weight`. */
export function lerp<D extends DType>(a: Tensor<D>, b: Tensor, weight: Tensor | number): Tensor<D> {
  if (typeof weight !== 'number') return run('lerp', { a, b, c: weight });
  using share = scalar(a, weight);
  return run('lerp', { a, b, c: share });
}

/** `x * alpha + beta` with numbers that are rounded to f32. */
export function affine<D extends DType>(x: Tensor<D>, alpha: number, beta: number): Tensor<D> {
  checkFinite('affine', 'alpha', alpha);
  checkFinite('affine', 'beta', beta);
  return run('affine', { a: x, alpha, beta });
}

/** `min(max(x, min), max)`; infinite bounds are open. */
export function clamp<D extends DType>(x: Tensor<D>, min: number, max: number): Tensor<D> {
  return run('clamp', { a: x, alpha: min, beta: max });
}

/** `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`. */
export function geluTanh<D extends DType>(x: Tensor<D>): Tensor<D> {
  return run('geluTanh', { a: x });
}

/** `x / (1 + exp(-x))`. */
export function silu<D extends DType>(x: Tensor<D>): Tensor<D> {
  return run('silu', { a: x });
}

/** `x / (1 + exp(-1.702 x))`. */
export function quickGelu<D extends DType>(x: Tensor<D>): Tensor<D> {
  return run('quickGelu', { a: x });
}

/** `e^x`. */
export function exp<D extends DType>(x: Tensor<D>): Tensor<D> {
  return run('exp', { a: x });
}
