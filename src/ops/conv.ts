import { show } from '../errors.ts';
import {
  checkChoice,
  checkObject,
  checkShape,
  checkTensor,
  checkWhole,
  mismatch,
} from '../tensor/check.ts';
import type { DType } from '../tensor/dtype.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { conv3d } from './conv3d.ts';
import { contiguous } from './copy.ts';
import { type PadMode, pad } from './indexing.ts';

/** Options of {@link conv1d} and {@link conv2d}; an array gives one number per axis. */
export interface ConvOptions {
  /** `[C_out]`, any float dtype. */
  readonly bias?: Tensor | undefined;
  /** Default 1. */
  readonly stride?: number | readonly number[] | undefined;
  /** Positions added on both sides. Default 0. */
  readonly padding?: number | readonly number[] | undefined;
  /** Default `zero`. */
  readonly paddingMode?: PadMode | undefined;
}

const PADDING_MODES: readonly PadMode[] = ['zero', 'replicate', 'reflect'];

/**
 * Convolution of channels-last sequences by the kernels of {@link conv3d}, on a padded copy where there is padding.
 *
 * @param x - `[B, L, C]`, any float dtype.
 * @param weight - `[C_out, kL, C]` contiguous, any float dtype.
 * @returns `[B, floor((L + 2 padding - kL) / stride) + 1, C_out]`, dtype of `x`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_UNSUPPORTED`, `ERR_DISPOSED`.
 */
export function conv1d<D extends DType>(
  x: FloatTensor<D>,
  weight: FloatTensor,
  options: ConvOptions = {},
): Tensor<D> {
  return convolve('conv1d', x, weight, options, 1);
}

/**
 * Convolution of channels-last pictures, as {@link conv1d}.
 *
 * @param x - `[B, H, W, C]`, any float dtype.
 * @param weight - `[C_out, kH, kW, C]` contiguous, any float dtype.
 * @returns `[B, H', W', C_out]`, dtype of `x`.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_UNSUPPORTED`, `ERR_DISPOSED`.
 */
export function conv2d<D extends DType>(
  x: FloatTensor<D>,
  weight: FloatTensor,
  options: ConvOptions = {},
): Tensor<D> {
  return convolve('conv2d', x, weight, options, 2);
}

function convolve<D extends DType>(
  operation: string,
  x: Tensor<D>,
  weight: Tensor,
  options: ConvOptions,
  axes: 1 | 2,
): Tensor<D> {
  checkTensor(operation, 'x', x);
  checkTensor(operation, 'weight', weight);
  const any = new Array<null>(axes).fill(null);
  checkShape(operation, 'x', x, [null, ...any, null]);
  checkShape(operation, 'weight', weight, [null, ...any, x.shape.at(-1)!]);
  checkObject(operation, 'options', options);
  const stride = perAxis(operation, 'stride', options.stride ?? 1, axes, 1);
  const padding = perAxis(operation, 'padding', options.padding ?? 0, axes, 0);
  const { bias, paddingMode = 'zero' } = options;
  checkChoice(operation, 'paddingMode', paddingMode, PADDING_MODES);
  const widths = [0, ...padding, 0].map((width) => [width, width] as const);
  using padded = padding.some((width) => width > 0)
    ? pad(x, widths, paddingMode)
    : contiguous<D>(x);
  const kernel = weight.shape.slice(1, -1);
  const outExtent = kernel.map((size, axis) => {
    const steps = Math.floor((padded.shape[axis + 1]! - size) / stride[axis]!) + 1;
    checkWhole(operation, `weight.shape[${axis + 1}]`, size, 1, padded.shape[axis + 1]);
    return steps;
  });
  using volume = withLeadingAxes(padded, 3 - axes);
  using taps = withLeadingAxes(weight, 3 - axes);
  const out = conv3d(volume, taps, {
    bias,
    stride: triple(stride, 1),
    pad: [0, 0, 0],
    outExtent: triple(outExtent, 1),
  });
  if (axes === 2) return dropAxis(out);
  return dropAxis(dropAxis(out));
}

/** One number per axis from an option that may be one for all. */
function perAxis(
  operation: string,
  argument: string,
  value: number | readonly number[],
  count: number,
  min: number,
): number[] {
  const numbers = typeof value === 'number' ? new Array<number>(count).fill(value) : value;
  if (!Array.isArray(numbers) || numbers.length !== count) {
    const expected = `a number, or ${count} of them`;
    throw mismatch('ERR_ARGUMENT', operation, argument, expected, show(value));
  }
  for (const [axis, number] of numbers.entries()) {
    checkWhole(operation, `${argument}[${axis}]`, number, min);
  }
  return numbers;
}

function triple(numbers: readonly number[], lead: number): [number, number, number] {
  const padded = [...new Array<number>(3 - numbers.length).fill(lead), ...numbers];
  return padded as [number, number, number];
}

/** Axes of extent 1 behind the first one. */
function withLeadingAxes<D extends DType>(x: Tensor<D>, count: number): Tensor<D> {
  return x.reshape([x.shape[0]!, ...new Array<number>(count).fill(1), ...x.shape.slice(1)]);
}

function dropAxis<D extends DType>(x: Tensor<D>): Tensor<D> {
  using owner = x;
  return owner.squeeze(1);
}
