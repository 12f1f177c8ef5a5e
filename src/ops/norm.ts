import {
  asRows,
  checkContiguous,
  checkDType,
  checkFinite,
  checkMinRank,
  checkObject,
  checkOperands,
  checkShape,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { sizeOf } from '../tensor/shape.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';

/** Options of {@link layerNorm}. Absent tensors leave their step out. */
export interface LayerNormOptions {
  /** Added to the variance. */
  readonly eps: number;
  /** `[D]`. */
  readonly weight?: Tensor | undefined;
  /** `[D]`, dtype of `weight`. */
  readonly bias?: Tensor | undefined;
  /** `[B, D]` for `x` `[B, L, D]`, or `[1, D]`: the result is multiplied by `1 + scale`. */
  readonly scale?: Tensor | undefined;
  /** As `scale`, added at the end; same dtype and row stride. */
  readonly shift?: Tensor | undefined;
}

/**
 * `((x - mean) / sqrt(var + eps) * weight + bias) * (1 + scale) + shift` over the last axis, with the biased
 * variance. Statistics are f32 or wider, and the result is rounded once.
 *
 * @param x - `[..., D]`, any float dtype.
 * @returns shape and dtype of `x`, contiguous.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_UNSUPPORTED` for views without rows.
 */
export function layerNorm<D extends DType>(x: Tensor<D>, options: LayerNormOptions): Tensor<D> {
  checkObject('layerNorm', 'options', options);
  const { weight, bias, scale, shift, eps } = options;
  const device = checkOperands('layerNorm', { x }, { weight, bias, scale, shift });
  const width = checkRows('layerNorm', x, eps);
  checkAffine('layerNorm', { weight, bias }, width);
  checkDType('layerNorm', 'scale', scale);
  checkDType('layerNorm', 'shift', shift, scale && [scale.dtype]);
  for (const [argument, tensor] of Object.entries({ scale, shift })) {
    const isShared = tensor?.shape[0] === 1 || x.rank === 1;
    checkShape('layerNorm', argument, tensor, [isShared ? 1 : x.shape[0]!, width]);
  }
  const scaleRows = scale && asRows('layerNorm', 'scale', scale);
  const shiftRows = shift && asRows('layerNorm', 'shift', shift);
  if (scaleRows && shiftRows && !haveSameRows(scaleRows, shiftRows)) {
    const expected = 'the rows and row stride of scale';
    throw mismatch('ERR_UNSUPPORTED', 'layerNorm', 'shift', expected, formatTensor(shift));
  }
  const out = empty(device, x.shape, x.dtype);
  if (out.size === 0) return out;
  native().layerNorm(device.native, {
    x: asRows('layerNorm', 'x', x),
    out: asRows('layerNorm', 'out', out),
    weight: weight?.native,
    bias: bias?.native,
    scale: scaleRows,
    shift: shiftRows,
    eps,
  });
  return out;
}

interface Rows {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

function haveSameRows(a: Rows, b: Rows): boolean {
  return a.shape[0] === b.shape[0] && (a.shape[0] === 1 || a.strides[0] === b.strides[0]);
}

/**
 * `x / sqrt(mean(x^2) + eps) * weight` over the last axis. Statistics are f32 or wider, and the result is
 * rounded once.
 *
 * @param x - `[..., D]`, any float dtype.
 * @param weight - `[D]`, any float dtype.
 * @returns shape and dtype of `x`, contiguous.
 */
export function rmsNorm<D extends DType>(
  x: Tensor<D>,
  weight: Tensor,
  options: { readonly eps: number },
): Tensor<D> {
  const device = checkOperands('rmsNorm', { x, weight });
  checkObject('rmsNorm', 'options', options);
  const width = checkRows('rmsNorm', x, options.eps);
  checkAffine('rmsNorm', { weight }, width);
  const out = empty(device, x.shape, x.dtype);
  if (out.size === 0) return out;
  native().rmsNorm(device.native, {
    x: asRows('rmsNorm', 'x', x),
    weight: weight.native,
    out: asRows('rmsNorm', 'out', out),
    eps: options.eps,
  });
  return out;
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions {
  /** Number of groups; divides C. */
  readonly groups: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Apply SiLU to the result. */
  readonly silu?: boolean | undefined;
}

/**
 * Normalises every group of `C / groups` neighbouring channels over all positions of a batch entry, with
 * the biased variance. Channels last.
 *
 * @param x - `[B, ..., C]` contiguous, any float dtype.
 * @param weight - `[C]`, any float dtype.
 * @param bias - `[C]`, dtype of `weight`.
 * @returns shape and dtype of `x`.
 */
export function groupNorm<D extends DType>(
  x: Tensor<D>,
  weight: Tensor,
  bias: Tensor,
  options: GroupNormOptions,
): Tensor<D> {
  const device = checkOperands('groupNorm', { x, weight, bias });
  checkObject('groupNorm', 'options', options);
  checkMinRank('groupNorm', 'x', x, 2);
  const channels = checkRows('groupNorm', x, options.eps);
  checkContiguous('groupNorm', 'x', x);
  checkAffine('groupNorm', { weight, bias }, channels);
  checkWhole('groupNorm', 'groups', options.groups, 1);
  if (channels % options.groups !== 0) {
    const expected = `a divisor of ${channels} channels`;
    throw mismatch('ERR_ARGUMENT', 'groupNorm', 'groups', expected, String(options.groups));
  }
  const out = empty(device, x.shape, x.dtype);
  if (out.size === 0) return out;
  const shape = [x.shape[0]!, sizeOf(x.shape.slice(1, -1)), channels];
  const strides = [shape[1]! * channels, channels, 1];
  native().groupNorm(device.native, {
    x: { ...x.native, shape, strides },
    weight: weight.native,
    bias: bias.native,
    out: { ...out.native, shape, strides },
    groups: options.groups,
    eps: options.eps,
    silu: options.silu ?? false,
  });
  return out;
}

function checkRows(operation: string, x: Tensor, eps: number): number {
  checkDType(operation, 'x', x);
  checkMinRank(operation, 'x', x, 1);
  checkFinite(operation, 'eps', eps);
  return x.shape.at(-1)!;
}

/** Checks `[D]` vectors of one common dtype. */
function checkAffine(
  operation: string,
  vectors: Readonly<Record<string, Tensor | undefined>>,
  width: number,
): void {
  let dtype: DType | undefined;
  for (const [argument, vector] of Object.entries(vectors)) {
    checkDType(operation, argument, vector, dtype && [dtype]);
    checkShape(operation, argument, vector, [width]);
    checkContiguous(operation, argument, vector);
    dtype ??= vector?.dtype;
  }
}
