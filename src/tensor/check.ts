import { type ErrorCode, FramePackError, show } from '../errors.ts';
import type { Device } from './device.ts';
import type { DType } from './dtype.ts';
import type { NativeTensor, Triple } from './native-types.ts';
import { disposedError } from './scope.ts';
import { coalesce, formatShape, type Shape, sizeOf } from './shape.ts';
import { Tensor } from './tensor.ts';

/** An error in the one form of this library: `<operation>: <argument> expected <X>, got <Y>`. */
export function mismatch(
  code: ErrorCode,
  operation: string,
  argument: string,
  expected: string,
  got: string,
): FramePackError {
  const message = `${operation}: ${argument} expected ${expected}, got ${got}`;
  return new FramePackError(code, message, { operation, argument, expected, got });
}

/** `[2, 3] bf16`, the way messages write tensors. */
export function formatTensor(tensor: Tensor): string {
  return `${formatShape(tensor.shape)} ${tensor.dtype}`;
}

/** Tensors of one call by argument name; absent options are undefined. */
export type Operands = Readonly<Record<string, Tensor | undefined>>;

/**
 * Checks that all operands are live tensors of one device; the optional ones may be undefined.
 *
 * @returns the device.
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_DISPOSED`, `ERR_DEVICE`.
 */
export function checkOperands(
  operation: string,
  operands: Operands,
  optional: Operands = {},
): Device {
  let device: Device | undefined;
  for (const argument in operands) {
    device = checkOperand(operation, argument, operands[argument], device);
  }
  for (const argument in optional) {
    const tensor = optional[argument];
    if (tensor !== undefined) device = checkOperand(operation, argument, tensor, device);
  }
  if (device === undefined) {
    throw mismatch('ERR_ARGUMENT', operation, 'operands', 'at least one tensor', 'none');
  }
  if (device.isClosed) {
    throw mismatch('ERR_DISPOSED', operation, 'device', 'an open device', 'a closed one');
  }
  return device;
}

/** Checks one operand, beside others of a device; returns its own. */
function checkOperand(
  operation: string,
  argument: string,
  tensor: unknown,
  device: Device | undefined,
): Device {
  if (!(tensor instanceof Tensor)) {
    throw mismatch('ERR_ARGUMENT', operation, argument, 'a tensor', show(tensor));
  }
  if (tensor.isDisposed) throw disposedError(operation, argument, tensor.freedBy);
  if (device !== undefined && tensor.device !== device) {
    const got = `another device (${tensor.device.kind})`;
    throw mismatch('ERR_DEVICE', operation, argument, `a tensor on ${device.kind}`, got);
  }
  return tensor.device;
}

/**
 * Checks one argument that a call cannot do without.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming it, `ERR_DISPOSED`.
 */
export function checkTensor(operation: string, argument: string, value: Tensor): Device {
  return checkOperands(operation, { [argument]: value });
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless the value is an object, such as options. */
export function checkObject(operation: string, argument: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw mismatch('ERR_ARGUMENT', operation, argument, 'an object', show(value));
  }
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless the value is an array. */
export function checkList(operation: string, argument: string, value: unknown): void {
  if (!Array.isArray(value)) {
    throw mismatch('ERR_ARGUMENT', operation, argument, 'an array', show(value));
  }
}

/** The float types that most operations accept. */
const FLOATS: readonly DType[] = ['f32', 'f16', 'bf16'];

/** @throws {@link FramePackError} `ERR_DTYPE` unless the tensor, if given, has one of the types. */
export function checkDType(
  operation: string,
  argument: string,
  tensor: Tensor | undefined,
  allowed: readonly DType[] = FLOATS,
): void {
  if (tensor !== undefined && !allowed.includes(tensor.dtype)) {
    const types = allowed.join(' or ');
    throw mismatch('ERR_DTYPE', operation, argument, types, formatTensor(tensor));
  }
}

/** Expected extents; null stands for any. */
export type ShapePattern = readonly (number | null)[];

/** @throws {@link FramePackError} `ERR_SHAPE` unless the tensor, if given, has the shape. */
export function checkShape(
  operation: string,
  argument: string,
  tensor: Tensor | undefined,
  pattern: ShapePattern,
): void {
  if (tensor !== undefined && !fits(tensor.shape, pattern)) {
    const expected = formatShape(pattern.map((extent) => extent ?? '*'));
    throw mismatch('ERR_SHAPE', operation, argument, expected, formatTensor(tensor));
  }
}

function fits(shape: Shape, pattern: ShapePattern): boolean {
  if (shape.length !== pattern.length) return false;
  for (let axis = 0; axis < pattern.length; axis++) {
    const extent = pattern[axis];
    if (extent !== null && extent !== shape[axis]) return false;
  }
  return true;
}

/** @throws {@link FramePackError} `ERR_SHAPE` unless the tensor has at least `rank` axes. */
export function checkMinRank(
  operation: string,
  argument: string,
  tensor: Tensor,
  rank: number,
): void {
  if (tensor.rank < rank) {
    const expected = `at least ${rank} axes`;
    throw mismatch('ERR_SHAPE', operation, argument, expected, formatTensor(tensor));
  }
}

/** @throws {@link FramePackError} `ERR_UNSUPPORTED` for a view with gaps or another order. */
export function checkContiguous(
  operation: string,
  argument: string,
  tensor: Tensor | undefined,
): void {
  if (tensor !== undefined && !tensor.isContiguous) throw stridedError(operation, argument, tensor);
}

function stridedError(operation: string, argument: string, tensor: Tensor): FramePackError {
  const got = `strides ${formatShape(tensor.strides)} for ${formatTensor(tensor)}; call contiguous()`;
  return mismatch('ERR_UNSUPPORTED', operation, argument, 'another memory layout', got);
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless `value` is whole and in `[min, max]`. */
export function checkWhole(
  operation: string,
  argument: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const limit = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `in [${min}, ${max}]`;
    throw mismatch('ERR_ARGUMENT', operation, argument, `a whole number ${limit}`, show(value));
  }
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless all three numbers are whole and in `[min, max]`. */
export function checkTriple(
  operation: string,
  argument: string,
  triple: Triple,
  min: number,
  max?: number,
): void {
  checkList(operation, argument, triple);
  checkWhole(operation, `${argument}.length`, triple.length, 3, 3);
  for (let axis = 0; axis < 3; axis++) {
    checkWhole(operation, `${argument}[${axis}]`, triple[axis]!, min, max);
  }
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless `value` is a finite number. */
export function checkFinite(operation: string, argument: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw mismatch('ERR_ARGUMENT', operation, argument, 'a finite number', show(value));
  }
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless `value` is a number, which may be infinite. */
export function checkOrdered(operation: string, argument: string, value: number): void {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw mismatch('ERR_ARGUMENT', operation, argument, 'a number', show(value));
  }
}

/**
 * Index of an option in its list of names, which is its number at the native boundary.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for a name that is not in the list.
 */
export function checkChoice(
  operation: string,
  argument: string,
  value: string,
  choices: readonly string[],
): number {
  const index = choices.indexOf(value);
  if (index < 0) {
    const expected = choices.join(' or ');
    throw mismatch('ERR_ARGUMENT', operation, argument, expected, show(value));
  }
  return index;
}

/**
 * A tensor `[..., D]` seen as `[rows, D]` with one row stride and adjacent columns.
 *
 * @throws {@link FramePackError} `ERR_UNSUPPORTED` when its memory has no such layout.
 */
export function asRows(operation: string, argument: string, tensor: Tensor): NativeTensor {
  const { shape, strides } = tensor;
  const last = shape.length - 1;
  const width = shape[last]!;
  const leading = shape.slice(0, last);
  const rows = sizeOf(leading);
  if (tensor.isContiguous) return { ...tensor.native, shape: [rows, width], strides: [width, 1] };
  const merged = coalesce(leading, strides.slice(0, last));
  if (merged.shape.length > 1 || (width > 1 && strides[last] !== 1)) {
    throw stridedError(operation, argument, tensor);
  }
  const rowStride = merged.strides[0]?.[0] ?? width;
  return { ...tensor.native, shape: [rows, width], strides: [rowStride, 1] };
}
