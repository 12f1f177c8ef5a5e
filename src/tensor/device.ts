import { FramePackError, quote, show } from '../errors.ts';
import { native, settle } from './native.ts';
import type { NativeDevice } from './native-types.ts';

/** `meta` has shapes, types and memory accounting but no data. */
export type DeviceKind = 'cpu' | 'cuda' | 'meta';

/** Instruction sets of the CPU device, slowest first. */
export type IsaLevel = 'scalar' | 'neon' | 'avx2' | 'avx512' | 'amx';

/** How to open a device. Every field has a default. */
export interface DeviceOptions {
  /**
   * Threads of the CPU device, 1 to 1024; default: the cores this process may use. With one for each of them,
   * threads stay on their cores; with fewer the system moves them.
   */
  readonly threads?: number | undefined;
  /** Upper limit for the instruction set of the CPU device; default: the best one. */
  readonly isa?: IsaLevel | undefined;
  /** Most bytes that tensors may take; beyond it allocations fail with `ERR_OUT_OF_MEMORY`. */
  readonly budgetBytes?: number | undefined;
  /** Index of the GPU; default 0. */
  readonly ordinal?: number | undefined;
}

/** Facts about an open device; fields that its kind does not have are absent. */
export interface DeviceDescription {
  readonly kind: DeviceKind;
  /** The processor or the GPU. */
  readonly name: string;
  /** Instruction set in use. */
  readonly isa?: string;
  readonly threads?: number;
  /** Version of the GPU driver. */
  readonly driver?: string;
  /** Architecture of the GPU, such as `sm_90`. */
  readonly architecture?: string;
  /** Memory of the GPU that no program holds now. */
  readonly freeBytes?: number;
  /** Memory of the GPU. */
  readonly totalBytes?: number;
  /** How many mistakes of kernels the checks of the virtual driver have found in this process. */
  readonly diagnostics?: number;
}

/** What a device holds now. Bytes count what was asked for, in steps of 256, mapped files included. */
export interface MemoryStats {
  readonly currentBytes: number;
  /** Highest `currentBytes` since the device was opened or {@link Device.resetPeak}. */
  readonly peakBytes: number;
  readonly budgetBytes: number | null;
  /** Tensors with memory of their own that are neither disposed nor collected; views count with it. */
  readonly liveTensors: number;
}

/** Facts of {@link DeviceDescription} that are numbers; the addon gives text. */
const NUMBERS = ['threads', 'freeBytes', 'totalBytes', 'diagnostics'] as const;
const KINDS: readonly string[] = ['cpu', 'cuda', 'meta'] satisfies DeviceKind[];
const ISA_LEVELS: readonly string[] = [
  'scalar',
  'neon',
  'avx2',
  'avx512',
  'amx',
] satisfies IsaLevel[];
const MAX_THREADS = 1024;

/** A variable that is set to something, read by `parse`; its errors name the variable. */
function variable<T>(name: string, expected: string, parse: (text: string) => T | undefined) {
  const text = process.env[name] ?? '';
  if (text === '') return undefined;
  const value = parse(text);
  if (value === undefined) throw optionError(name, expected, quote(text));
  return value;
}

/** The environment variables of the library. Options given in code win, and keep those from being read. */
function environment(options: DeviceOptions): {
  threads: number | undefined;
  isa: string | undefined;
  driver: string | undefined;
  isSynchronous: boolean;
} {
  const threadsOf = (text: string): number | undefined =>
    isWhole(Number(text), 1, MAX_THREADS) ? Number(text) : undefined;
  const isaOf = (text: string): string | undefined => ISA_LEVELS.find((level) => level === text);
  const switchOf = (text: string): boolean | undefined =>
    ({ '0': false, '1': true })[text as '0' | '1'];
  return {
    threads: options.threads ?? variable('FRAMEPACK_THREADS', wholeIn(1, MAX_THREADS), threadsOf),
    isa: options.isa ?? variable('FRAMEPACK_CPU_ISA', ISA_LEVELS.join(', '), isaOf),
    driver: variable('FRAMEPACK_CUDA_DRIVER', 'a library', (text) => text),
    isSynchronous: variable('FRAMEPACK_SYNC', '0 or 1', switchOf) ?? false,
  };
}

/**
 * An opened device: memory and one in-order stream of work. Operations return at once; waiting is
 * {@link Device.synchronize} and {@link Tensor.read}. Belongs to the thread that opened it.
 */
export class Device {
  readonly kind: DeviceKind;
  /** Handle for the operations of this library. */
  readonly native: NativeDevice;
  #closing: Promise<void> | undefined;

  private constructor(kind: DeviceKind, handle: NativeDevice) {
    this.kind = kind;
    this.native = handle;
  }

  /**
   * Opens a device.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` for a bad option, `ERR_CUDA_DRIVER` or `ERR_UNSUPPORTED`
   * when there is no such device here, `ERR_NATIVE_LOAD` without the addon.
   */
  static open(kind: DeviceKind, options: DeviceOptions = {}): Device {
    if (!KINDS.includes(kind)) throw optionError('kind', KINDS.join(', '), kind);
    if (typeof options !== 'object' || options === null) {
      throw optionError('options', 'an object', options);
    }
    const { budgetBytes, ordinal } = options;
    const { threads, isa, driver, isSynchronous } = environment(options);
    checkWhole('threads', threads, 1, MAX_THREADS);
    checkWhole('budgetBytes', budgetBytes, 1, Number.MAX_SAFE_INTEGER);
    checkWhole('ordinal', ordinal, 0, MAX_THREADS);
    if (isa !== undefined && !ISA_LEVELS.includes(isa)) {
      throw optionError('isa', ISA_LEVELS.join(', '), isa);
    }
    const nativeOptions = { threads, isa, budgetBytes, ordinal, driver, isSynchronous };
    try {
      return new Device(kind, native().openDevice(kind, nativeOptions));
    } catch (error) {
      throw withDriver(error, driver);
    }
  }

  /** Whether {@link Device.close} has been called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  describe(): DeviceDescription {
    const { name = this.kind, ...facts } = native().describe(this.native);
    const numbers = NUMBERS.filter((fact) => facts[fact] !== undefined);
    return {
      kind: this.kind,
      name,
      ...facts,
      ...Object.fromEntries(numbers.map((fact) => [fact, Number(facts[fact])])),
    };
  }

  memory(): MemoryStats {
    return native().memory(this.native);
  }

  /** Starts a new peak from what is in use now. */
  resetPeak(): void {
    native().resetPeak(this.native);
  }

  /**
   * Waits until all work enqueued so far has run.
   *
   * @throws {@link FramePackError} the first failure among it, such as `ERR_OUT_OF_MEMORY` or `ERR_DEVICE_LOST`.
   */
  async synchronize(): Promise<void> {
    await settle('synchronize', () => native().fence(this.native));
  }

  /** {@link Device.synchronize} under the name for pacing: await an older fence before enqueueing more. */
  fence(): Promise<void> {
    return this.synchronize();
  }

  /**
   * Runs what is queued, then ends the threads and frees all memory. Tensors of the device are unusable
   * afterwards. Further calls return the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= settle('close', () => native().closeDevice(this.native));
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws {@link FramePackError} `ERR_ARGUMENT` unless the value is a device. */
export function checkDevice(operation: string, device: Device): void {
  if (device instanceof Device) return;
  const message = `${operation}: device expected one that Device.open returned, got ${show(device)}`;
  throw new FramePackError('ERR_ARGUMENT', message, { argument: 'device' });
}

function checkWhole(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined) return;
  if (!isWhole(value, min, max)) throw optionError(name, wholeIn(min, max), value);
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function wholeIn(min: number, max: number): string {
  return `a whole number in [${min}, ${max}]`;
}

/** The error of a driver that the environment chose says so. */
function withDriver(error: unknown, driver: string | undefined): unknown {
  const isOfDriver = error instanceof FramePackError && error.code === 'ERR_CUDA_DRIVER';
  if (!isOfDriver || driver === undefined) return error;
  const message = `${error.message}; FRAMEPACK_CUDA_DRIVER is "${driver}"`;
  return new FramePackError(error.code, message, { ...error.details, driver }, error);
}

function optionError(name: string, expected: string, got: unknown): FramePackError {
  return new FramePackError(
    'ERR_ARGUMENT',
    `Device.open: ${name} expected ${expected}, got ${show(got)}`,
    { argument: name },
  );
}
