import { show } from '../errors.ts';
import {
  asRows,
  checkChoice,
  checkContiguous,
  checkDType,
  checkMinRank,
  checkObject,
  checkOperands,
  checkShape,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { NativeTensor } from '../tensor/native-types.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';
import { empty, type ScaledWeight, type ScaleMode, Tensor, type Weight } from '../tensor/tensor.ts';

const ACTIVATIONS = ['none', 'gelu-tanh', 'silu', 'quick-gelu'] as const;
const SCALE_MODES: readonly (ScaleMode | 'none')[] = ['none', 'tensor', 'channel', 'block64'];
const BLOCK_WIDTH = 64;

/** Function between the product and the gate; the numbers are those of `enum class Activation`. */
export type Activation = (typeof ACTIVATIONS)[number];

/** What {@link linear} fuses behind the product and its bias. */
export interface LinearEpilogue<E extends FloatDType = FloatDType> {
  readonly activation?: Activation | undefined;
  /** `[B, N]` for `x` `[B, L, K]`, or `[1, N]`, any float dtype: multiplies the activated product. */
  readonly gate?: Tensor | undefined;
  /** Added at the end; shape and dtype of the result. */
  readonly residual?: Tensor | undefined;
  /** Default: dtype of `x`. */
  readonly outDtype?: E | undefined;
  /** Where to write the result instead of a new tensor; may be `residual`. */
  readonly into?: Tensor | undefined;
}

/**
 * `residual + gate * activation(x weight^T + bias)`. Sums are f32 and the result is rounded once. On a CPU with
 * AVX-512-FP16 and no faster products, bf16 operands with a bf16 result are summed in f16 by 32 first, which adds half the
 * error of that rounding; numbers below 2^-28 of the largest of their row then count as zero.
 *
 * @param x - `[..., K]`, any float dtype.
 * @param weight - `[N, K]`, any float dtype or scaled fp8; {@link matmul} multiplies tensors as they stand.
 * @param bias - `[N]`, any float dtype.
 * @returns `[..., N]`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`; `ERR_UNSUPPORTED` for views
 * whose rows have no common stride.
 */
export function linear<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  weight: Weight,
  bias?: Tensor,
  epilogue: LinearEpilogue<E> = {},
): Tensor<E> {
  checkObject('linear', 'weight', weight);
  checkObject('linear', 'epilogue', epilogue);
  const [plain, scaled] = weight instanceof Tensor ? [weight] : [weight.data, weight];
  const { gate, residual, into } = epilogue;
  const required = { x, weight: plain, ...(scaled && { scale: scaled.scale }) };
  const device = checkOperands('linear', required, { bias, gate, residual, into });
  checkProduct(x, plain, scaled);
  const shape = x.shape.with(-1, plain.shape[0]!);
  checkBias(bias, shape);
  checkEpilogue(x, shape, epilogue);
  const dtype = epilogue.outDtype ?? (x.dtype as DType as E);
  const out = (into as Tensor<E> | undefined) ?? empty(device, shape, dtype);
  if (out.size === 0) return out;
  native().matmul(device.native, {
    a: alone(asRows('linear', 'x', x)),
    weight: alone(asRows('linear', 'weight', plain)),
    out: alone(asRows('linear', 'into', out)),
    scale: scaled?.scale.native,
    bias: bias?.native,
    residual: residual && asRows('linear', 'residual', residual),
    gate: gate?.native,
    activation: checkChoice('linear', 'activation', epilogue.activation ?? 'none', ACTIVATIONS),
    scaleMode: checkChoice('linear', 'mode', scaled?.mode ?? 'none', SCALE_MODES),
  });
  return out;
}

/** A matrix as a batch of one. */
function alone({ shape, strides, ...matrix }: NativeTensor): NativeTensor {
  return { ...matrix, shape: [1, ...shape], strides: [0, ...strides] };
}

function checkProduct(x: Tensor, weight: Tensor, scaled: ScaledWeight | undefined): void {
  checkDType('linear', 'x', x);
  checkMinRank('linear', 'x', x, 1);
  if (weight.rank !== 2 || weight.shape[1] !== x.shape.at(-1)) {
    const expected = `[*, ${x.shape.at(-1)}] for x ${formatShape(x.shape)}`;
    throw mismatch('ERR_SHAPE', 'linear', 'weight', expected, formatTensor(weight));
  }
  if (scaled === undefined) {
    checkDType('linear', 'weight', weight);
    return;
  }
  checkDType('linear', 'weight', weight, ['f8e4m3']);
  checkDType('linear', 'scale', scaled.scale, ['f32']);
  checkContiguous('linear', 'scale', scaled.scale);
  const expected = scaleShape(scaled.mode, weight);
  if (scaled.scale.size !== sizeOf(expected)) {
    checkShape('linear', 'scale', scaled.scale, expected);
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
    default:
      throw mismatch('ERR_ARGUMENT', 'scale', 'mode', 'tensor, channel or block64', show(mode));
  }
}

function checkBias(bias: Tensor | undefined, shape: readonly number[]): void {
  checkDType('linear', 'bias', bias);
  checkShape('linear', 'bias', bias, [shape.at(-1)!]);
  checkContiguous('linear', 'bias', bias);
}

function checkEpilogue(x: Tensor, shape: readonly number[], epilogue: LinearEpilogue): void {
  const { gate, residual, into, outDtype } = epilogue;
  checkDType('linear', 'gate', gate);
  if (gate !== undefined) {
    const batch = x.rank > 1 && gate.shape[0] !== 1 ? x.shape[0]! : 1;
    checkShape('linear', 'gate', gate, [batch, shape.at(-1)!]);
    checkContiguous('linear', 'gate', gate);
  }
  const dtype = into?.dtype ?? outDtype ?? x.dtype;
  checkDType('linear', 'into', into, outDtype === undefined ? undefined : [outDtype]);
  checkShape('linear', 'into', into, shape);
  checkDType('linear', 'residual', residual, [dtype]);
  checkShape('linear', 'residual', residual, shape);
}
