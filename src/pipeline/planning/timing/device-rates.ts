import type { WorkClass, WorkTally } from '../../../tensor/work/work-meter.ts';

/** How fast a device works. */
export interface DeviceRates {
  readonly name: string;
  /** `measured` here, or the `peak` that its maker states, at which times are lower bounds. */
  readonly source: 'measured' | 'peak';
  /** Floating-point operations a second by kind and type of work; `memory` work has none. */
  readonly flopsPerSecond: Readonly<Partial<Record<WorkClass, number>>>;
  /** Bytes a second that cross the memory of the device. */
  readonly movedBytesPerSecond: number;
  /** Bytes a second from the host to the device; null where nothing is copied. */
  readonly uploadBytesPerSecond: number | null;
}

/**
 * Time that work takes: each kind as long as its arithmetic or its traffic, whichever is longer (the roofline model,
 * Williams et al. 2009), and before it the copies from the host. Reading from disk comes on top.
 */
export function secondsOf(tally: WorkTally, uploadBytes: number, rates: DeviceRates): number {
  const { flopsPerSecond, movedBytesPerSecond, uploadBytesPerSecond } = rates;
  const uploading = uploadBytesPerSecond === null ? 0 : uploadBytes / uploadBytesPerSecond;
  return [...tally].reduce((sum, [name, { flops, movedBytes }]) => {
    const rate = flopsPerSecond[name] ?? Number.POSITIVE_INFINITY;
    return sum + Math.max(flops / rate, movedBytes / movedBytesPerSecond);
  }, uploading);
}
