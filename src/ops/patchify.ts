import {
  checkContiguous,
  checkDType,
  checkObject,
  checkOperands,
  checkShape,
  checkTriple,
  checkWhole,
  mismatch,
} from '../tensor/check.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { Triple } from '../tensor/native-types.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';

/** Options of {@link patchify}. */
export interface PatchifyOptions<E extends FloatDType = FloatDType> {
  /** `[D]`, any float dtype. */
  readonly bias?: Tensor | undefined;
  /** Default: dtype of `x`. */
  readonly outDtype?: E | undefined;
}

/**
 * Projects every patch of a volume to a token: a convolution whose stride is its kernel. High sides are
 * padded by repetition to whole patches.
 *
 * @param x - `[B, C, T, H, W]`, any float dtype and layout.
 * @param weight - `[D, C, kT, kH, kW]` contiguous, any float dtype.
 * @returns `[B, L, D]` with `L = ceil(T / kT) * ceil(H / kH) * ceil(W / kW)`, w fastest.
 */
export function patchify<D extends DType, E extends FloatDType = D & FloatDType>(
  x: Tensor<D>,
  weight: Tensor,
  options: PatchifyOptions<E> = {},
): Tensor<E> {
  checkObject('patchify', 'options', options);
  const { bias } = options;
  const device = checkOperands('patchify', { x, weight }, { bias });
  checkDType('patchify', 'x', x);
  checkDType('patchify', 'weight', weight);
  checkDType('patchify', 'bias', bias);
  checkShape('patchify', 'x', x, [null, null, null, null, null]);
  checkShape('patchify', 'weight', weight, [null, x.shape[1]!, null, null, null]);
  checkContiguous('patchify', 'weight', weight);
  checkContiguous('patchify', 'bias', bias);
  const [width = 0, , ...kernel] = weight.shape;
  checkShape('patchify', 'bias', bias, [width]);
  checkTriple('patchify', 'weight.shape.slice(2)', kernel as unknown as Triple, 1);
  const tokens = kernel.reduce((n, extent, axis) => n * Math.ceil(x.shape[axis + 2]! / extent), 1);
  const dtype = options.outDtype ?? (x.dtype as DType as E);
  const out = empty(device, [x.shape[0]!, tokens, width], dtype);
  if (out.size === 0) return out;
  native().patchify(device.native, {
    x: x.native,
    weight: weight.native,
    out: out.native,
    bias: bias?.native,
  });
  return out;
}

/** Grid and patch of {@link unpatchify}; triples are T, H, W. */
export interface UnpatchifyOptions {
  /** Tokens along each axis. */
  readonly grid: Triple;
  /** Elements of a patch along each axis. */
  readonly patch: Triple;
  readonly channels: number;
}

/**
 * Lays token columns `[C, pT, pH, pW]` (C slowest) out as a volume.
 *
 * @param x - `[B, L, C * pT * pH * pW]`, any float dtype, columns adjacent.
 * @returns `[B, C, T * pT, H * pH, W * pW]`.
 */
export function unpatchify<D extends DType>(x: Tensor<D>, options: UnpatchifyOptions): Tensor<D> {
  checkObject('unpatchify', 'options', options);
  const { grid, patch, channels } = options;
  const device = checkOperands('unpatchify', { x });
  checkDType('unpatchify', 'x', x);
  checkTriple('unpatchify', 'grid', grid, 0);
  checkTriple('unpatchify', 'patch', patch, 1);
  checkWhole('unpatchify', 'channels', channels, 0);
  const tokens = grid[0] * grid[1] * grid[2];
  const width = channels * patch[0] * patch[1] * patch[2];
  checkShape('unpatchify', 'x', x, [null, tokens, width]);
  if (x.strides[2] !== 1 && width > 1) {
    const got = `stride ${x.strides[2]}; call contiguous()`;
    throw mismatch('ERR_UNSUPPORTED', 'unpatchify', 'x', 'adjacent columns', got);
  }
  const extents = grid.map((extent, axis) => extent * patch[axis]!);
  const out = empty(device, [x.shape[0]!, channels, ...extents], x.dtype);
  if (out.size > 0) {
    native().unpatchify(device.native, { x: x.native, out: out.native, grid, patch });
  }
  return out;
}
