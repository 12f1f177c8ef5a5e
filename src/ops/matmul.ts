import {
  asRows,
  checkChoice,
  checkContiguous,
  checkDType,
  checkMinRank,
  checkOperands,
  checkShape,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';
import {
  empty,
  type ScaledWeight,
  type ScaleMode,
  type Tensor,
  type Weight,
} from '../tensor/tensor.ts';

const ACTIVATIONS = ['none', 'gelu-tanh', 'silu', 'quick-gelu'] as const;
const SCALE_MODES: readonly (ScaleMode | 'none')[] = ['none', 'tensor', 'channel', 'block64'];
const BLOCK_WIDTH = 64;

/** Function between the product and the gate; the numbers are those of `enum class Activation`. */
export type Activation = (typeof ACTIVATIONS)[number];

/** What {@link matmul} fuses behind the product. Every field may have any float dtype unless noted. */
export interface MatmulOptions<E extends FloatDType = FloatDType> {
  /** `[N]`, added to the product. */
  readonly bias?: Tensor | undefined;
  readonly activation?: Activation | undefined;
  /** `[B, N]` for `a` `[B, L, K]`, or `[1, N]`: multiplies the activated product. */
  readonly gate?: Tensor | undefined;
  /** Added at the end; shape and dtype of the result. */
  readonly residual?: Tensor | undefined;
  /** Default: dtype of `a`. */
  readonly outDtype?: E | undefined;
  /** Where to write the result instead of a new tensor; may be `residual`. */
  readonly into?: Tensor | undefined;
}

/**
 * `residual + gate * activation(a weight^T + bias)`. Sums are f32 and the result is rounded once. On a CPU with
 * AVX-512-FP16 and no faster products, bf16 operands with a bf16 result are summed in f16 by 32 first, which adds half the
 * error of that rounding; numbers below 2^-28 of the largest of their row then count as zero.
 *
 * @param a - `[..., K]`, any float dtype.
 * @param weight - `[N, K]`, any float dtype or scaled fp8.
 * @returns `[..., N]`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`; `ERR_UNSUPPORTED` for views
 * whose rows have no common stride.
 */
export function matmul<D extends DType, E extends FloatDType = D & FloatDType>(
  a: Tensor<D>,
  weight: Weight,
  options: MatmulOptions<E> = {},
): Tensor<E> {
  const scaled = 'data' in weight ? weight : undefined;
  const plain = 'data' in weight ? weight.data : weight;
  const { bias, gate, residual, into } = options;
  const operands = { a, weight: plain, scale: scaled?.scale, bias, gate, residual, into };
  const device = checkOperands('matmul', operands);
  checkProduct(a, plain, scaled);
  const shape = a.shape.with(-1, plain.shape[0]!);
  checkEpilogue(a, shape, options);
  const dtype = options.outDtype ?? (a.dtype as DType as E);
  const out = (into as Tensor<E> | undefined) ?? empty(device, shape, dtype);
  if (out.size === 0) return out;
  native().matmul(device.native, {
    a: asRows('matmul', 'a', a),
    weight: asRows('matmul', 'weight', plain),
    out: asRows('matmul', 'into', out),
    scale: scaled?.scale.native,
    bias: bias?.native,
    residual: residual && asRows('matmul', 'residual', residual),
    gate: gate?.native,
    activation: checkChoice('matmul', 'activation', options.activation ?? 'none', ACTIVATIONS),
    scaleMode: checkChoice('matmul', 'mode', scaled?.mode ?? 'none', SCALE_MODES),
  });
  return out;
}

function checkProduct(a: Tensor, weight: Tensor, scaled: ScaledWeight | undefined): void {
  checkDType('matmul', 'a', a);
  checkMinRank('matmul', 'a', a, 1);
  if (weight.rank !== 2 || weight.shape[1] !== a.shape.at(-1)) {
    const expected = `[*, ${a.shape.at(-1)}] for a ${formatShape(a.shape)}`;
    throw mismatch('ERR_SHAPE', 'matmul', 'weight', expected, formatTensor(weight));
  }
  if (scaled === undefined) {
    checkDType('matmul', 'weight', weight);
    return;
  }
  checkDType('matmul', 'weight', weight, ['f8e4m3']);
  checkDType('matmul', 'scale', scaled.scale, ['f32']);
  checkContiguous('matmul', 'scale', scaled.scale);
  const expected = scaleShape(scaled.mode, weight);
  if (scaled.scale.size !== sizeOf(expected)) {
    checkShape('matmul', 'scale', scaled.scale, expected);
  }
}

/** Shape of the scales of a weight `[N, K]`. */
export function scaleShape(mode: ScaleMode, weight: Tensor): number[] {
  const [rows = 0, width = 0] = weight.shape;
  switch (mode) {
    case 'tensor':
      return [1];
    case 'channel':
      return [rows];
    case 'block64':
      if (width % BLOCK_WIDTH !== 0) {
        const expected = `a width divisible by ${BLOCK_WIDTH} for block64`;
        throw mismatch('ERR_SHAPE', 'scale', 'weight', expected, formatTensor(weight));
      }
      return [rows, width / BLOCK_WIDTH];
  }
}

function checkEpilogue(a: Tensor, shape: readonly number[], options: MatmulOptions): void {
  const { bias, gate, residual, into, outDtype } = options;
  const width = shape.at(-1)!;
  checkDType('matmul', 'bias', bias);
  checkShape('matmul', 'bias', bias, [width]);
  checkContiguous('matmul', 'bias', bias);
  checkDType('matmul', 'gate', gate);
  if (gate !== undefined) {
    const batch = a.rank > 1 && gate.shape[0] !== 1 ? a.shape[0]! : 1;
    checkShape('matmul', 'gate', gate, [batch, width]);
    checkContiguous('matmul', 'gate', gate);
  }
  const dtype = into?.dtype ?? outDtype ?? a.dtype;
  checkDType('matmul', 'into', into, outDtype === undefined ? undefined : [outDtype]);
  checkShape('matmul', 'into', into, shape);
  checkDType('matmul', 'residual', residual, [dtype]);
  checkShape('matmul', 'residual', residual, shape);
}
