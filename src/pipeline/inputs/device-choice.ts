import { z } from 'zod';
import { FramePackError } from '../../errors.ts';
import { Device, type DeviceOptions } from '../../tensor/device.ts';
import type { RunDevice } from '../events.ts';

/**
 * Where to compute. `auto` is the first GPU where it is usable and the CPU elsewhere; `cuda:1` or its ordinal alone is a
 * GPU among several, `cuda` the first of them.
 */
export type DeviceChoice = 'auto' | 'cpu' | 'cuda' | `cuda:${number}` | number;

/** Kinds of devices that make videos. */
export type ComputeKind = 'cpu' | 'cuda';

/** A device that was chosen and opened. */
export interface ChosenDevice {
  readonly device: Device;
  readonly facts: RunDevice;
}

const MAX_ORDINAL = 1024;
const GPU = /^cuda:(\d{1,4})$/;

/** What a choice may be, for messages. */
export const EXPECTED_DEVICE = 'auto, cpu, cuda, or a GPU among several as cuda:1 or 1';

export const deviceSchema: z.ZodType<DeviceChoice> = z.custom<DeviceChoice>(isDeviceChoice);

/** Whether a value names a device, be it there or not. */
function isDeviceChoice(value: unknown): value is DeviceChoice {
  if (value === 'auto' || value === 'cpu') return true;
  const ordinal = typeof value === 'string' ? gpuOrdinal(value) : value;
  return Number.isInteger(ordinal) && Number(ordinal) >= 0 && Number(ordinal) <= MAX_ORDINAL;
}

/**
 * Opens the device of a choice. Only `auto` may end on another kind than its first, and only for want of a usable driver
 * or of kernels: a GPU that is full or was lost is an error there too.
 *
 * @throws {@link FramePackError} What `Device.open` throws.
 */
export function openChosenDevice(choice: DeviceChoice, options: DeviceOptions): ChosenDevice {
  if (choice === 'cpu') return openCpu(options);
  if (choice !== 'auto') return openGpu(choice, options);
  try {
    return openGpu('cuda', options);
  } catch (error) {
    if (!(error instanceof FramePackError) || !MEANS_NO_GPU.has(error.code)) throw error;
    const { device, facts } = openCpu(options);
    return { device, facts: { ...facts, whyNoGpu: error.message.replace(/^Device\.open: /, '') } };
  }
}

/** The choice that opens the same device again, whatever else is there by then. */
export function choiceOf({ ordinal }: RunDevice): DeviceChoice {
  if (ordinal === null) return 'cpu';
  return ordinal === 0 ? 'cuda' : `cuda:${ordinal}`;
}

const MEANS_NO_GPU: ReadonlySet<string> = new Set(['ERR_CUDA_DRIVER', 'ERR_NATIVE_LOAD']);

function openCpu(options: DeviceOptions): ChosenDevice {
  const device = Device.open('cpu', options);
  return { device, facts: { kind: 'cpu', ordinal: null, name: device.describe().name } };
}

function openGpu(choice: DeviceChoice, options: DeviceOptions): ChosenDevice {
  const ordinal = typeof choice === 'number' ? choice : gpuOrdinal(choice);
  const device = Device.open('cuda', { ...options, ordinal });
  return { device, facts: { kind: 'cuda', ordinal: ordinal ?? 0, name: device.describe().name } };
}

function gpuOrdinal(text: string): number | undefined {
  if (text === 'cuda') return 0;
  const digits = GPU.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
