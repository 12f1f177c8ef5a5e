import { show } from '../errors.ts';
import {
  checkContiguous,
  checkDType,
  checkList,
  checkObject,
  checkOperands,
  checkShape,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import { checkDevice, type Device } from '../tensor/device.ts';
import { bytesOf, type DType, type FloatDType, isFloatDType } from '../tensor/dtype.ts';
import { native } from '../tensor/native.ts';
import { resolveAxis, type Shape } from '../tensor/shape.ts';
import { hostBuffer } from '../tensor/storage.ts';
import {
  empty,
  fromArray,
  type ScaledWeight,
  type ScaleMode,
  type Tensor,
} from '../tensor/tensor.ts';
import { scaleShape } from './linear.ts';

/** Enqueues a copy between checked tensors of one shape. */
function enqueueCopy(device: Device, x: Tensor, out: Tensor): void {
  if (out.size > 0) native().copy(device.native, { x: x.native, out: out.native });
}

/** A contiguous tensor with the elements of `x`: a second owner of `x` when it is contiguous, else a copy. */
export function contiguous<D extends DType>(x: Tensor<D>): Tensor<D> {
  const device = checkOperands('contiguous', { x });
  if (x.isContiguous) return x.retain();
  const out = empty(device, x.shape, x.dtype);
  enqueueCopy(device, x, out);
  return out;
}

/**
 * `x` in another dtype, contiguous; a second owner of `x` when it has the dtype already. Narrowing rounds to
 * nearest even, f8e4m3 saturates, integers truncate and saturate.
 *
 * @throws {@link FramePackError} `ERR_UNSUPPORTED` between i32 and u8.
 */
export function cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
  const device = checkOperands('cast', { x });
  if (x.dtype === dtype) return x.retain() as Tensor<DType> as Tensor<D>;
  checkConvertible('cast', x, dtype);
  const out = empty(device, x.shape, dtype);
  enqueueCopy(device, x, out);
  return out;
}

function checkConvertible(operation: string, x: Tensor, dtype: DType): void {
  const isFloat = (type: DType): boolean => isFloatDType(type) || type === 'f8e4m3';
  if (x.dtype !== dtype && !isFloat(x.dtype) && !isFloat(dtype)) {
    throw mismatch('ERR_UNSUPPORTED', operation, 'x', `a float dtype for ${dtype}`, x.dtype);
  }
}

/**
 * Tensors one after another along an axis.
 *
 * @param tensors - at least one; equal dtypes, and equal shapes except along the axis.
 */
export function concat<D extends DType>(tensors: readonly Tensor<D>[], axis: number): Tensor<D> {
  checkList('concat', 'tensors', tensors);
  const named = Object.fromEntries(tensors.map((tensor, index) => [`tensors[${index}]`, tensor]));
  const device = checkOperands('concat', named);
  const first = tensors[0]!;
  const index = resolveAxis('concat', axis, first.rank);
  let extent = 0;
  for (const [argument, tensor] of Object.entries(named)) {
    checkDType('concat', argument, tensor, [first.dtype]);
    checkShape('concat', argument, tensor, (first.shape as (number | null)[]).with(index, null));
    extent += tensor.shape[index]!;
  }
  const out = empty(device, first.shape.with(index, extent), first.dtype);
  let start = 0;
  for (const tensor of tensors) {
    const end = start + tensor.shape[index]!;
    using target = out.slice(index, start, end);
    enqueueCopy(device, tensor, target);
    start = end;
  }
  return out;
}

/**
 * Writes `x` into `target`, converting like {@link cast}. Both have one shape and any layout; they must not
 * overlap.
 *
 * @returns `target`.
 */
export function copyInto<D extends DType>(x: Tensor, target: Tensor<D>): Tensor<D> {
  const device = checkOperands('copyInto', { x, target });
  checkShape('copyInto', 'x', x, target.shape);
  checkConvertible('copyInto', x, target.dtype);
  enqueueCopy(device, x, target);
  return target;
}

/** A tensor filled with one number, rounded to `dtype`. */
export function full<D extends DType>(
  device: Device,
  shape: Shape,
  dtype: D,
  value: number,
): Tensor<D> {
  if (typeof value !== 'number') {
    throw mismatch('ERR_ARGUMENT', 'full', 'value', 'a number', show(value));
  }
  const out = empty(device, shape, dtype);
  if (out.size > 0) native().fill(device.native, { out: out.native, value });
  return out;
}

/** A tensor filled with zeros. */
export function zeros<D extends DType>(device: Device, shape: Shape, dtype: D): Tensor<D> {
  return full(device, shape, dtype, 0);
}

/** `[0, 1, ..., count - 1]`. */
export function arange<D extends DType>(device: Device, count: number, dtype: D): Tensor<D> {
  checkWhole('arange', 'count', count, 0);
  const numbers = new Float64Array(hostBuffer('arange', count * 8));
  return fromArray(
    device,
    numbers.map((_, index) => index),
    [count],
    dtype,
  );
}

/**
 * `x` on another device, contiguous; a second owner of `x` when it is there already. Ordered after the work
 * enqueued on both devices so far.
 *
 * @throws {@link FramePackError} `ERR_UNSUPPORTED` for data of the `meta` device.
 */
export function to<D extends DType>(x: Tensor<D>, device: Device): Tensor<D> {
  checkOperands('to', { x });
  checkDevice('to', device);
  if (x.device === device) return x.retain();
  using packed = contiguous(x);
  const out = empty(device, x.shape, x.dtype);
  if (out.size === 0) return out;
  const bytes = out.size * bytesOf(x.dtype);
  const range = (tensor: Tensor) => ({
    device: tensor.device.native,
    buffer: tensor.native.buffer,
    offset: tensor.offset * bytesOf(x.dtype),
    bytes,
  });
  native().copyAcross(range(packed), range(out));
  return out;
}

/** The groups that share a scale, as the quantiser sees them: `[rows, width]` with `[rows, groups]` scales. */
function scaledViews(operation: string, mode: ScaleMode, w: Tensor) {
  checkContiguous(operation, 'weight', w);
  checkShape(operation, 'weight', w, [null, null]);
  const scales = scaleShape(mode, w);
  const [rows, width] = mode === 'tensor' ? [1, w.size] : [w.shape[0]!, w.shape[1]!];
  const groups = mode === 'block64' ? scales[1]! : 1;
  const view = (tensor: Tensor, columns: number) => ({
    ...tensor.native,
    shape: [rows, columns],
    strides: [columns, 1],
  });
  return {
    scales,
    data: (tensor: Tensor) => view(tensor, width),
    scale: (tensor: Tensor) => view(tensor, groups),
  };
}

/**
 * Rounds a weight to fp8 with f32 scales: `scale = max(max |w| / 448, 1e-8)` over what one scale covers.
 *
 * @param weight - `[N, K]` contiguous f32, f16 or bf16; K divisible by 64 for `block64`.
 */
export function quantizeFp8(weight: Tensor, mode: ScaleMode): ScaledWeight {
  const device = checkOperands('quantizeFp8', { weight });
  checkDType('quantizeFp8', 'weight', weight);
  const views = scaledViews('quantizeFp8', mode, weight);
  const data = empty(device, weight.shape, 'f8e4m3');
  const scale = empty(device, views.scales, 'f32');
  if (data.size > 0) {
    native().quantize(device.native, {
      x: views.data(weight),
      scale: views.scale(scale),
      out: views.data(data),
    });
  }
  return { data, scale, mode };
}

/** The numbers of an fp8 weight, `[N, K]`, rounded once. */
export function dequantizeFp8<D extends FloatDType>(weight: ScaledWeight, dtype: D): Tensor<D> {
  checkObject('dequantizeFp8', 'weight', weight);
  const { data, scale, mode } = weight;
  const device = checkOperands('dequantizeFp8', { data, scale });
  checkDType('dequantizeFp8', 'data', data, ['f8e4m3']);
  checkDType('dequantizeFp8', 'scale', scale, ['f32']);
  checkContiguous('dequantizeFp8', 'scale', scale);
  const views = scaledViews('dequantizeFp8', mode, data);
  if (scale.size !== views.scales.reduce((product, extent) => product * extent, 1)) {
    const expected = `[${views.scales.join(', ')}]`;
    throw mismatch('ERR_SHAPE', 'dequantizeFp8', 'scale', expected, formatTensor(scale));
  }
  const out = empty(device, data.shape, dtype);
  if (out.size > 0) {
    native().dequantize(device.native, {
      x: views.data(data),
      scale: views.scale(scale),
      out: views.data(out),
    });
  }
  return out;
}
