import { attention } from '../../../ops/attention.ts';
import { conv3d } from '../../../ops/conv3d.ts';
import { zeros } from '../../../ops/copy.ts';
import { add } from '../../../ops/elementwise.ts';
import { linear } from '../../../ops/linear.ts';
import type { Device } from '../../../tensor/device.ts';
import type { FloatDType } from '../../../tensor/dtype.ts';
import { scope } from '../../../tensor/scope.ts';
import { fromArray } from '../../../tensor/tensor.ts';
import { type WorkClass, type WorkKind, WorkMeter } from '../../../tensor/work/work-meter.ts';

/** Long enough to measure, short enough not to be noticed. */
const ENOUGH_MS = 20;
const MAX_SCALE = 2 ** 12;
const UPLOAD_BYTES = 2 ** 26;
const MS = 1000;

/** Makes inputs of a size that grows with `scale`, and returns the operation on them. */
type Probe = (device: Device, dtype: FloatDType, scale: number) => () => unknown;

/** Widths are those of the released networks, so that kernels run as they do there. */
const PROBES: Readonly<Record<WorkKind, Probe>> = {
  product: (device, dtype, scale) => {
    const x = zeros(device, [16 * scale, 3072], dtype);
    const weight = zeros(device, [1024, 3072], dtype);
    return () => linear(x, weight);
  },
  attention: (device, dtype, scale) => {
    const heads = zeros(device, [1, 128 * Math.ceil(Math.sqrt(scale)), 8, 128], dtype);
    return () => attention(heads, heads, heads);
  },
  convolution: (device, dtype, scale) => {
    const x = zeros(device, [1, 1, 2 * scale, 16, 128], dtype);
    const weight = zeros(device, [128, 3, 3, 3, 128], dtype);
    return () => conv3d(x, weight);
  },
  memory: (device, dtype, scale) => {
    const x = zeros(device, [2 ** 16 * scale], dtype);
    return () => add(x, x);
  },
};

/** Operations and bytes a second that a device reaches in a kind of work. */
export async function probeWork(
  device: Device,
  work: WorkClass,
): Promise<{ readonly flopsPerSecond: number; readonly movedBytesPerSecond: number }> {
  const [kind, dtype] = work.split(' ') as [WorkKind, FloatDType];
  const meter = WorkMeter.of(device);
  for (let scale = 1; ; scale *= 2) {
    const found = await scope(async () => {
      const run = PROBES[kind](device, dtype, scale);
      const once = async (): Promise<number> => {
        meter.take();
        const startedAt = performance.now();
        scope(() => void run());
        await device.synchronize();
        return (performance.now() - startedAt) / MS;
      };
      // The first one wakes threads and touches memory.
      await once();
      const seconds = Math.min(await once(), await once());
      return { seconds, ...meter.take().get(work)! };
    });
    if (found.seconds * MS < ENOUGH_MS && scale < MAX_SCALE) continue;
    const { seconds, flops, movedBytes } = found;
    return { flopsPerSecond: flops / seconds, movedBytesPerSecond: movedBytes / seconds };
  }
}

/** Bytes a second from the host to a device. */
export async function probeUpload(device: Device): Promise<number> {
  const bytes = new Uint8Array(UPLOAD_BYTES);
  let seconds = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 2; round++) {
    const startedAt = performance.now();
    scope(() => void fromArray(device, bytes, [UPLOAD_BYTES], 'u8'));
    await device.synchronize();
    seconds = Math.min(seconds, (performance.now() - startedAt) / MS);
  }
  return UPLOAD_BYTES / seconds;
}
