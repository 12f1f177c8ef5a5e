import { bytesOf, type DType, decode, typedArray } from '../dtype.ts';
import { native } from '../native.ts';
import { formatShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const MAX_VALUES = 8;
/** Enough to tell f32 numbers apart at a glance. */
const MAX_DIGITS = 6;

/**
 * What `console.log` shows of a tensor: shape, dtype, device, and its first values in row-major order where they can be
 * had at once, else why not. Waits for nothing and throws nothing.
 */
export function inspectTensor(tensor: Tensor): string {
  const { shape, dtype, device } = tensor;
  return `Tensor ${formatShape(shape)} ${dtype} on ${device.kind} ${valuesText(tensor)}`;
}

function valuesText(tensor: Tensor): string {
  const { device, freedBy, size } = tensor;
  if (tensor.isDisposed) return freedBy === undefined ? '(disposed)' : `(freed by its ${freedBy})`;
  if (device.isClosed) return '(its device is closed)';
  if (device.kind === 'meta') return '(no values on this device)';
  const values = firstValues(tensor);
  if (values === undefined) return '(values would have to be waited for: await read())';
  const rest = size > values.length ? [`... ${size - values.length} more`] : [];
  return `[${[...values, ...rest].join(', ')}]`;
}

function firstValues(tensor: Tensor): string[] | undefined {
  const { dtype, device, native: view } = tensor;
  const width = bytesOf(dtype);
  const values: string[] = [];
  for (let index = 0; index < Math.min(tensor.size, MAX_VALUES); index++) {
    const element = new ArrayBuffer(width);
    const offset = offsetOf(tensor, index) * width;
    if (!native().peek(device.native, view.buffer, offset, element)) return undefined;
    values.push(format(element, dtype));
  }
  return values;
}

/** Where the element of a row-major index lies, in elements of the buffer. */
function offsetOf({ shape, strides, offset }: Tensor, index: number): number {
  let at = offset;
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis]!;
    at += (rest % extent) * strides[axis]!;
    rest = Math.floor(rest / extent);
  }
  return at;
}

function format(element: ArrayBuffer, dtype: DType): string {
  const stored = typedArray(dtype, element);
  if (dtype === 'i32' || dtype === 'u8') return String(stored[0]);
  return String(Number(decode(stored, dtype)[0]!.toPrecision(MAX_DIGITS)));
}
