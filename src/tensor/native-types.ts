import type { ErrorCode, ErrorDetails } from '../errors.ts';

/**
 * The whole surface of the native addon, as one type. `native/addon/exports.h` lists the same names;
 * a test compares them. Objects named `Native...` are opaque handles of the addon.
 */
export interface NativeModule {
  /** Once per JavaScript environment, before anything else: the class of every error. */
  initialize(errorClass: NativeErrorClass): void;

  openDevice(kind: string, options: NativeDeviceOptions): NativeDevice;
  /** Runs what is queued, ends the threads and frees all memory of the device. */
  closeDevice(device: NativeDevice): Promise<void>;
  describe(device: NativeDevice): Record<string, string>;
  memory(device: NativeDevice): NativeMemory;
  resetPeak(device: NativeDevice): void;
  /** Settles when all work queued so far has run; rejects with the first error among it. */
  fence(device: NativeDevice): Promise<void>;

  allocate(device: NativeDevice, bytes: number): NativeBuffer;
  /** Frees behind the queued work. A second call does nothing. */
  release(buffer: NativeBuffer): void;
  mapFile(device: NativeDevice, path: string, offset: number, bytes: number): NativeBuffer;
  /** Copies the data before it returns. */
  upload(device: NativeDevice, buffer: NativeBuffer, offset: number, data: ArrayBufferView): void;
  /** Fills `target` with bytes from `offset`. */
  download(
    device: NativeDevice,
    buffer: NativeBuffer,
    offset: number,
    target: ArrayBuffer,
  ): Promise<void>;
  /** Fills `target` at once where nothing has to be waited for, else returns false. */
  peek(device: NativeDevice, buffer: NativeBuffer, offset: number, target: ArrayBuffer): boolean;
  copyAcross(from: NativeRange, to: NativeRange): void;

  matmul(device: NativeDevice, args: MatmulCall): void;
  attention(device: NativeDevice, args: AttentionCall): void;
  layerNorm(device: NativeDevice, args: LayerNormCall): void;
  rmsNorm(device: NativeDevice, args: RmsNormCall): void;
  groupNorm(device: NativeDevice, args: GroupNormCall): void;
  ropeTable(device: NativeDevice, args: RopeTableCall): void;
  ropePool(device: NativeDevice, args: RopePoolCall): void;
  rope(device: NativeDevice, args: RopeCall): void;
  conv3d(device: NativeDevice, args: Conv3dCall): void;
  patchify(device: NativeDevice, args: PatchifyCall): void;
  unpatchify(device: NativeDevice, args: UnpatchifyCall): void;
  elementwise(device: NativeDevice, args: ElementwiseCall): void;
  reduce(device: NativeDevice, args: ReduceCall): void;
  copy(device: NativeDevice, args: CopyCall): void;
  fill(device: NativeDevice, args: FillCall): void;
  quantize(device: NativeDevice, args: QuantizeCall): void;
  dequantize(device: NativeDevice, args: QuantizeCall): void;
  embedding(device: NativeDevice, args: EmbeddingCall): void;
  upsample(device: NativeDevice, args: UpsampleCall): void;
  indexed(device: NativeDevice, args: IndexedCall): void;
  cumsum(device: NativeDevice, args: CumsumCall): void;
  topK(device: NativeDevice, args: TopKCall): void;
  dequantizeGgml(device: NativeDevice, args: DequantizeGgmlCall): void;
}

/** The constructor of {@link FramePackError} as the addon calls it. */
export type NativeErrorClass = new (
  code: ErrorCode,
  message: string,
  details: ErrorDetails,
) => Error;

declare const deviceBrand: unique symbol;
declare const bufferBrand: unique symbol;

/** Handle of an open device. */
export interface NativeDevice {
  readonly [deviceBrand]: true;
}

/** Handle of device memory; freed by `release` or by the garbage collector. */
export interface NativeBuffer {
  readonly [bufferBrand]: true;
}

/** Options of `openDevice`; `undefined` leaves the choice to the device. */
export interface NativeDeviceOptions {
  readonly threads: number | undefined;
  readonly isa: string | undefined;
  readonly budgetBytes: number | undefined;
  readonly ordinal: number | undefined;
  readonly driver: string | undefined;
  /** Wait after every operation, so that its error is thrown by the call that caused it. */
  readonly isSynchronous: boolean;
}

/** Byte counts of a device; `budgetBytes` is null without a budget. */
export interface NativeMemory {
  readonly currentBytes: number;
  readonly peakBytes: number;
  readonly budgetBytes: number | null;
  readonly liveTensors: number;
}

/** A range of device memory, in bytes. */
export interface NativeRange {
  readonly device: NativeDevice;
  readonly buffer: NativeBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** A tensor at the boundary; strides and offset count elements, `dtype` is its code. */
export interface NativeTensor {
  readonly buffer: NativeBuffer;
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

type Optional = NativeTensor | undefined;
/** Three extents, slowest axis first. */
export type Triple = readonly [number, number, number];

/**
 * `a` `[B, M, K]`, `weight` `[B, N, K]`, `out` `[B, M, N]`; only with B = 1 a weight in f8e4m3, `residual` `[M, N]` and `gate`
 * `[M / gateRows, N]`.
 */
export interface MatmulCall {
  readonly a: NativeTensor;
  readonly weight: NativeTensor;
  readonly out: NativeTensor;
  readonly scale: Optional;
  readonly bias: Optional;
  readonly residual: Optional;
  readonly gate: Optional;
  readonly activation: number;
  readonly scaleMode: number;
}

/** All four `[B, tokens, heads, K]`; offsets `[segments + 1]` i32. */
export interface AttentionCall {
  readonly q: NativeTensor;
  readonly k: NativeTensor;
  readonly v: NativeTensor;
  readonly out: NativeTensor;
  readonly queryOffsets: Optional;
  readonly keyOffsets: Optional;
  readonly scale: number;
  readonly mask: number;
  readonly frameTokens: number;
}

/** `x` and `out` `[rows, D]`; `scale` and `shift` `[rows / rowsPerModulation, D]`. */
export interface LayerNormCall {
  readonly x: NativeTensor;
  readonly out: NativeTensor;
  readonly weight: Optional;
  readonly bias: Optional;
  readonly scale: Optional;
  readonly shift: Optional;
  readonly eps: number;
}

/** `x` and `out` `[rows, D]`. */
export interface RmsNormCall {
  readonly x: NativeTensor;
  readonly weight: NativeTensor;
  readonly out: NativeTensor;
  readonly eps: number;
}

/** `x` and `out` `[B, positions, C]`. */
export interface GroupNormCall {
  readonly x: NativeTensor;
  readonly weight: NativeTensor;
  readonly bias: NativeTensor;
  readonly out: NativeTensor;
  readonly groups: number;
  readonly eps: number;
  readonly silu: boolean;
}

/** `framePositions` `[frames]` i32; `cos` and `sin` `[frames * height * width, columns]` f32. */
export interface RopeTableCall {
  readonly framePositions: NativeTensor;
  readonly cos: NativeTensor;
  readonly sin: NativeTensor;
  readonly height: number;
  readonly width: number;
  readonly axisWidths: Triple;
  readonly theta: number;
}

/** Tables `[grid[0] * grid[1] * grid[2], columns]`. */
export interface RopePoolCall {
  readonly cos: NativeTensor;
  readonly sin: NativeTensor;
  readonly cosOut: NativeTensor;
  readonly sinOut: NativeTensor;
  readonly grid: Triple;
  readonly pool: Triple;
}

/** `x` and `out` `[B, L, N, K]`; tables `[tokens, K / 2]`. */
export interface RopeCall {
  readonly x: NativeTensor;
  readonly cos: NativeTensor;
  readonly sin: NativeTensor;
  readonly out: NativeTensor;
  readonly weight: Optional;
  readonly eps: number;
  readonly layout: number;
}

/** `x` `[B, T, H, W, C]`, `weight` `[C_out, kT, kH, kW, C]`, `out` and `residual` with equal strides. */
export interface Conv3dCall {
  readonly x: NativeTensor;
  readonly weight: NativeTensor;
  readonly out: NativeTensor;
  readonly bias: Optional;
  readonly residual: Optional;
  readonly stride: Triple;
  readonly pad: Triple;
}

/** `x` `[B, C, T, H, W]`, `weight` `[D, C, kT, kH, kW]`, `out` `[B, L, D]`. */
export interface PatchifyCall {
  readonly x: NativeTensor;
  readonly weight: NativeTensor;
  readonly out: NativeTensor;
  readonly bias: Optional;
}

/** `x` `[B, L, C * pT * pH * pW]`, `out` `[B, C, T, H, W]`. */
export interface UnpatchifyCall {
  readonly x: NativeTensor;
  readonly out: NativeTensor;
  readonly grid: Triple;
  readonly patch: Triple;
}

/** All operands have the shape of `out`; broadcast axes have stride 0. */
export interface ElementwiseCall {
  readonly operation: number;
  readonly a: NativeTensor;
  readonly b: Optional;
  readonly c: Optional;
  readonly out: NativeTensor;
  readonly alpha: number;
  readonly beta: number;
}

/** `x` and `y` `[outer, axis, inner]`, `out` `[outer, inner]`. */
export interface ReduceCall {
  readonly operation: number;
  readonly x: NativeTensor;
  readonly y: Optional;
  readonly out: NativeTensor;
}

/** Two views of one shape. */
export interface CopyCall {
  readonly x: NativeTensor;
  readonly out: NativeTensor;
}

/** `out` is contiguous. */
export interface FillCall {
  readonly out: NativeTensor;
  readonly value: number;
}

/** `x` to `out` `[rows, K]` with `scale` `[rows, K / groupWidth]`. */
export interface QuantizeCall {
  readonly x: NativeTensor;
  readonly scale: NativeTensor;
  readonly out: NativeTensor;
}

/** `ids` `[tokens]` i32, `table` `[vocabulary, D]`, `out` `[tokens, D]`. */
export interface EmbeddingCall {
  readonly ids: NativeTensor;
  readonly table: NativeTensor;
  readonly out: NativeTensor;
}

/** `x` `[B, T, H, W, C]`, `out` `[B, T', H * factor[1], W * factor[2], C]`. */
export interface UpsampleCall {
  readonly x: NativeTensor;
  readonly out: NativeTensor;
  readonly factor: Triple;
}

/**
 * A gather reads `x`, a scatter writes `out` where `indices`, i32, say along `axis`; the other one has the shape of
 * `indices`.
 */
export interface IndexedCall {
  readonly x: NativeTensor;
  readonly indices: NativeTensor;
  readonly out: NativeTensor;
  readonly axis: number;
  readonly isScatter: boolean;
}

/** `x` and `out` `[outer, axis, inner]`. */
export interface CumsumCall {
  readonly x: NativeTensor;
  readonly out: NativeTensor;
}

/** `x` `[outer, axis, inner]`, `values` and `indices`, i32, `[outer, k, inner]`. */
export interface TopKCall {
  readonly x: NativeTensor;
  readonly values: NativeTensor;
  readonly indices: NativeTensor;
  readonly isLargest: boolean;
}

/** `blocks` `[bytes]`, u8; `out` `[elements]`; `type` is the number that ggml gives the format. */
export interface DequantizeGgmlCall {
  readonly blocks: NativeTensor;
  readonly out: NativeTensor;
  readonly type: number;
}
