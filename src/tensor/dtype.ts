import { FramePackError, show } from '../errors.ts';
import { formatShape, type Shape, sizeOf } from './shape.ts';

/** Element types. Storage of f16 and bf16 is their 16 bits, of f8e4m3 its 8 bits. */
export type DType = 'f32' | 'f16' | 'bf16' | 'f8e4m3' | 'i32' | 'u8';

/** Element types that arithmetic accepts. */
export type FloatDType = 'f32' | 'f16' | 'bf16';

/** What {@link Tensor.read} returns: numbers for f32, i32 and u8, raw bits for f16, bf16 and f8e4m3. */
export interface TypedArrays {
  readonly f32: Float32Array;
  readonly f16: Uint16Array;
  readonly bf16: Uint16Array;
  readonly f8e4m3: Uint8Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

/** The typed array that holds elements of `D`. */
export type TypedArrayOf<D extends DType> = TypedArrays[D];

/** Arrays of numbers that a tensor can be made from. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;

interface DTypeTraits {
  /** The value of `enum class DType` in kernels/device/dtype.h. */
  readonly code: number;
  readonly bytes: number;
}

const TRAITS: Readonly<Record<DType, DTypeTraits>> = {
  f32: { code: 0, bytes: 4 },
  f16: { code: 1, bytes: 2 },
  bf16: { code: 2, bytes: 2 },
  f8e4m3: { code: 3, bytes: 1 },
  i32: { code: 4, bytes: 4 },
  u8: { code: 5, bytes: 1 },
};

/** Whether `value` names an element type. */
export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(TRAITS, value);
}

/** Whether arithmetic accepts the type. */
export function isFloatDType(dtype: DType): dtype is FloatDType {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';
}

/** Number of the type at the native boundary. */
export function codeOf(dtype: DType): number {
  return TRAITS[dtype].code;
}

const NAMES_BY_CODE: ReadonlyMap<number, DType> = new Map(
  Object.entries(TRAITS).map(([name, { code }]) => [code, name as DType]),
);

/** The type of a number that {@link codeOf} gave. */
export function dtypeOfCode(code: number): DType {
  return NAMES_BY_CODE.get(code)!;
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return TRAITS[dtype].bytes;
}

const CONSTRUCTORS: {
  readonly [D in DType]: new (
    source: ArrayBuffer | number,
  ) => TypedArrayOf<D>;
} = {
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f8e4m3: Uint8Array,
  i32: Int32Array,
  u8: Uint8Array,
};

/** A typed array for `D`: a view of a whole buffer, or zeros. */
export function typedArray<D extends DType>(
  dtype: D,
  source: ArrayBuffer | number,
): TypedArrayOf<D> {
  return new CONSTRUCTORS[dtype](source);
}

const floatCell = new Float32Array(1);
const bitsCell = new Uint32Array(floatCell.buffer);

function bitsOfFloat(value: number): number {
  floatCell[0] = value;
  return bitsCell[0]!;
}

function floatOfBits(bits: number): number {
  bitsCell[0] = bits;
  return floatCell[0]!;
}

/** bf16 bits of a number that is rounded to f32 first; nearest, ties to even. */
export function toBf16(value: number): number {
  const bits = bitsOfFloat(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The number of bf16 bits. */
export function fromBf16(bits: number): number {
  return floatOfBits(bits << 16);
}

/** f16 bits of a number that is rounded to f32 first; nearest, ties to even; 65520 and more is infinite. */
export function toF16(value: number): number {
  const bits = bitsOfFloat(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: one ulp of 0.5 in f32 is 2^-24, so the addition rounds to the right place.
    return sign | (bitsOfFloat(floatOfBits(magnitude) + 0.5) - 0x3f000000);
  }
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** The number of f16 bits. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** f8e4m3 bits of a number that is rounded to f32 first; nearest, ties to even; saturates to 448. */
export function toF8E4M3(value: number): number {
  const bits = bitsOfFloat(value);
  const sign = (bits >>> 24) & 0x80;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7f;
  if (magnitude >= 0x43e00000) return sign | 0x7e;
  if (magnitude < 0x3c800000) {
    return sign | (bitsOfFloat(floatOfBits(magnitude) + 16384) - 0x46800000);
  }
  return sign | (((magnitude + 0x7ffff + ((magnitude >>> 20) & 1)) >>> 20) - (120 << 3));
}

/** The number of f8e4m3 bits. */
export function fromF8E4M3(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >>> 3) & 15;
  const mantissa = bits & 7;
  if ((bits & 0x7f) === 0x7f) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -9;
  return sign * (1 + mantissa / 8) * 2 ** (exponent - 7);
}

const ENCODERS: Readonly<Partial<Record<DType, (value: number) => number>>> = {
  f16: toF16,
  bf16: toBf16,
  f8e4m3: toF8E4M3,
};

const DECODERS: Readonly<Partial<Record<DType, (bits: number) => number>>> = {
  f16: fromF16,
  bf16: fromBf16,
  f8e4m3: fromF8E4M3,
};

/** Converts numbers to the storage of `dtype`, rounding f16, bf16 and f8e4m3 to nearest even. */
export function encode<D extends DType>(data: ArrayLike<number>, dtype: D): TypedArrayOf<D> {
  const out = typedArray(dtype, data.length);
  const encoder = ENCODERS[dtype];
  if (encoder === undefined) {
    out.set(data);
  } else {
    for (let i = 0; i < data.length; i++) out[i] = encoder(data[i]!);
  }
  return out;
}

/** Widens stored elements to f32; exact for every type but i32 beyond 2^24. */
export function decode(data: ArrayLike<number>, dtype: DType): Float32Array {
  const decoder = DECODERS[dtype];
  return decoder === undefined ? Float32Array.from(data) : Float32Array.from(data, decoder);
}

const INTEGER_RANGES: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u8: [0, 255],
};

/**
 * Checks host numbers against a shape and converts them to the storage of `dtype`; see {@link fromArray}.
 *
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_ARGUMENT`.
 */
export function hostData<D extends DType>(
  data: TypedArray | readonly number[],
  shape: Shape,
  dtype: D,
): TypedArrayOf<D> {
  if (Array.isArray(data)) checkNumbers(data);
  else checkMemory(data as TypedArray);
  if (data.length !== sizeOf(shape)) {
    throw new FramePackError(
      'ERR_SHAPE',
      `fromArray: data expected ${sizeOf(shape)} numbers for ${formatShape(shape)}, ` +
        `got ${data.length}${data.length === 0 ? ' (empty, or its buffer is detached)' : ''}`,
    );
  }
  const range = INTEGER_RANGES[dtype];
  if (range !== undefined) checkIntegers(data, range, dtype);
  return isStorageOf(dtype, data) ? data : encode(data, dtype);
}

function checkNumbers(data: readonly unknown[]): void {
  for (let i = 0; i < data.length; i++) {
    if (typeof data[i] === 'number') continue;
    const message = `fromArray: data[${i}] expected a number, got ${show(data[i])}`;
    throw new FramePackError('ERR_ARGUMENT', message);
  }
}

function checkMemory(data: TypedArray): void {
  const isNumeric =
    ArrayBuffer.isView(data) && !(data instanceof DataView) && typeof (data[0] ?? 0) === 'number';
  if (!isNumeric) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `fromArray: data expected an array or typed array of numbers, got ${describe(data)}`,
    );
  }
  // Another thread could change shared memory between the check of a number and its use.
  if (data.buffer instanceof SharedArrayBuffer) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      'fromArray: data expected memory of this thread, got a SharedArrayBuffer; copy it with slice()',
    );
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  const name: unknown = typeof value === 'object' ? value.constructor?.name : typeof value;
  return typeof name === 'string' ? name : 'an object';
}

/** Typed arrays that already are the storage: the tensor's bits, or its numbers. */
function isStorageOf<D extends DType>(
  dtype: D,
  data: TypedArray | readonly number[],
): data is TypedArrayOf<D> {
  switch (dtype) {
    case 'f32':
      return data instanceof Float32Array;
    case 'f16':
    case 'bf16':
      return data instanceof Uint16Array;
    case 'i32':
      return data instanceof Int32Array;
    default:
      return data instanceof Uint8Array;
  }
}

function checkIntegers(
  data: ArrayLike<number>,
  [min, max]: readonly [number, number],
  dtype: DType,
): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `fromArray: data[${i}] expected a whole number in [${min}, ${max}] for ${dtype}, got ${value}`,
      );
    }
  }
}
