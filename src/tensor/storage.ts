import { FramePackError } from '../errors.ts';
import type { Device } from './device.ts';
import { native } from './native.ts';
import type { NativeBuffer } from './native-types.ts';

/**
 * Device memory shared by a tensor and its views, counted by owners. The last owner frees it; without
 * that, the garbage collector frees it once no tensor refers to it.
 */
export class Storage {
  readonly device: Device;
  readonly buffer: NativeBuffer;
  #owners = 1;

  private constructor(device: Device, buffer: NativeBuffer) {
    this.device = device;
    this.buffer = buffer;
  }

  /** @throws {@link FramePackError} `ERR_OUT_OF_MEMORY`. */
  static allocate(device: Device, bytes: number): Storage {
    return new Storage(device, native().allocate(device.native, bytes));
  }

  /**
   * Bytes of a file, read-only: mapped on the CPU device, uploaded elsewhere.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` when the file does not hold the range.
   */
  static fromFile(device: Device, path: string, offset: number, bytes: number): Storage {
    return new Storage(device, native().mapFile(device.native, path, offset, bytes));
  }

  addOwner(): this {
    this.#owners += 1;
    return this;
  }

  removeOwner(): void {
    this.#owners -= 1;
    if (this.#owners === 0) native().release(this.buffer);
  }
}

/**
 * Memory of the host.
 *
 * @throws {@link FramePackError} `ERR_OUT_OF_MEMORY`.
 */
export function hostBuffer(operation: string, bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new FramePackError(
      'ERR_OUT_OF_MEMORY',
      `${operation}: host memory expected ${bytes} free bytes, got none`,
      { bytes },
      cause,
    );
  }
}
