import {
  checkContiguous,
  checkDType,
  checkObject,
  checkOperands,
  checkShape,
  checkTriple,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import type { Triple } from '../tensor/native-types.ts';
import { empty, type Tensor } from '../tensor/tensor.ts';

/** Options of {@link conv3d}; triples are along T, H and W. */
export interface Conv3dOptions {
  /** `[C_out]`, any float dtype. */
  readonly bias?: Tensor | undefined;
  /** Added to the result; its shape, dtype and strides. */
  readonly residual?: Tensor | undefined;
  /** Default 1. */
  readonly stride?: Triple | undefined;
  /** Padding on the low side, less than the kernel; default: causal in time, centred in space. */
  readonly pad?: Triple | undefined;
  /** Output extents; default `floor((extent - 1) / stride) + 1`. */
  readonly outExtent?: Triple | undefined;
  /** Where to write the result instead of a new tensor: a view with adjacent channels. */
  readonly into?: Tensor | undefined;
}

/**
 * Convolution of channels-last volumes. Both sides of every axis are padded by repeating the border slice,
 * as far as the output extents reach. Sums are f32. Where it pays, the CPU device transforms pixels and taps by
 * Winograd's F(2 x 2, 3 x 3); bf16 ones are then rounded to bf16 once more, 2.7 times the error of the last rounding.
 *
 * @param x - `[B, T, H, W, C]` contiguous, any float dtype.
 * @param weight - `[C_out, kT, kH, kW, C]` contiguous, any float dtype.
 * @returns `[B, T', H', W', C_out]`, dtype of `x`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_UNSUPPORTED`.
 */
export function conv3d<D extends DType>(
  x: Tensor<D>,
  weight: Tensor,
  options: Conv3dOptions = {},
): Tensor<D> {
  checkObject('conv3d', 'options', options);
  const { bias, residual, into } = options;
  const device = checkOperands('conv3d', { x, weight }, { bias, residual, into });
  checkVolumes(x, weight, bias);
  const geometry = resolveGeometry(x, weight, options);
  const shape = [x.shape[0]!, ...geometry.outExtent, weight.shape[0]!];
  checkDType('conv3d', 'into', into, [x.dtype]);
  checkShape('conv3d', 'into', into, shape);
  checkDType('conv3d', 'residual', residual, [x.dtype]);
  checkShape('conv3d', 'residual', residual, shape);
  checkFilled(x, shape);
  if (into !== undefined && into.strides[4] !== 1 && into.shape[4]! > 1) {
    const got = `stride ${into.strides[4]}`;
    throw mismatch('ERR_UNSUPPORTED', 'conv3d', 'into', 'adjacent channels', got);
  }
  const out = (into as Tensor<D> | undefined) ?? empty(device, shape, x.dtype);
  checkResidualStrides(residual, out);
  if (out.size === 0) return out;
  native().conv3d(device.native, {
    x: x.native,
    weight: weight.native,
    out: out.native,
    bias: bias?.native,
    residual: residual?.native,
    stride: geometry.stride,
    pad: geometry.pad,
  });
  return out;
}

function checkVolumes(x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
  checkDType('conv3d', 'x', x);
  checkDType('conv3d', 'weight', weight);
  checkDType('conv3d', 'bias', bias);
  checkShape('conv3d', 'x', x, [null, null, null, null, null]);
  checkShape('conv3d', 'weight', weight, [null, null, null, null, x.shape[4]!]);
  checkShape('conv3d', 'bias', bias, [weight.shape[0]!]);
  checkContiguous('conv3d', 'x', x);
  checkContiguous('conv3d', 'weight', weight);
  checkContiguous('conv3d', 'bias', bias);
}

interface Geometry {
  readonly stride: Triple;
  readonly pad: Triple;
  readonly outExtent: Triple;
}

function resolveGeometry(x: Tensor, weight: Tensor, options: Conv3dOptions): Geometry {
  const [, kT = 1, kH = 1, kW = 1] = weight.shape;
  const kernel = [kT, kH, kW] as const;
  const extent = x.shape.slice(1, 4) as unknown as Triple;
  const { stride = [1, 1, 1], pad = [kT - 1, kH >> 1, kW >> 1] } = options;
  checkTriple('conv3d', 'weight.shape.slice(1, 4)', kernel, 1);
  checkTriple('conv3d', 'stride', stride, 1);
  checkTriple('conv3d', 'pad', pad, 0);
  const numSteps = (axis: 0 | 1 | 2, lead: number): number =>
    Math.floor((extent[axis] - 1 + lead) / stride[axis]) + 1;
  const outExtent = options.outExtent ?? [numSteps(0, 0), numSteps(1, 0), numSteps(2, 0)];
  checkTriple('conv3d', 'outExtent', outExtent, 0);
  // A window that lies wholly in the padding would only repeat the border.
  for (const axis of [0, 1, 2] as const) {
    checkWhole('conv3d', `pad[${axis}]`, pad[axis], 0, kernel[axis] - 1);
    const most = Math.max(numSteps(axis, pad[axis]), 0);
    checkWhole('conv3d', `outExtent[${axis}]`, outExtent[axis], 0, most);
  }
  return { stride, pad, outExtent };
}

/** A border slice can only be repeated where there is one. */
function checkFilled(x: Tensor, outShape: readonly number[]): void {
  const isEmpty = x.shape.slice(1, 4).includes(0);
  if (isEmpty && !outShape.includes(0)) {
    throw mismatch('ERR_SHAPE', 'conv3d', 'x', 'at least one position', formatTensor(x));
  }
}

function checkResidualStrides(residual: Tensor | undefined, out: Tensor): void {
  if (residual === undefined) return;
  const isSame = out.shape.every(
    (extent, axis) => extent <= 1 || residual.strides[axis] === out.strides[axis],
  );
  if (!isSame) {
    const expected = `the strides [${out.strides.join(', ')}] of the result`;
    const got = `[${residual.strides.join(', ')}]; call contiguous()`;
    throw mismatch('ERR_UNSUPPORTED', 'conv3d', 'residual', expected, got);
  }
}
