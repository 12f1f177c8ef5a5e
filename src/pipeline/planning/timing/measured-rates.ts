import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Device } from '../../../tensor/device.ts';
import type { WorkClass } from '../../../tensor/work/work-meter.ts';
import type { DeviceRates } from './device-rates.ts';
import { probeUpload, probeWork } from './probe-device.ts';

/** All that moves memory and computes little. */
const MEMORY: WorkClass = 'memory f32';

const rate = z.number().positive();
const cacheSchema = z.record(
  z.string(),
  z.object({ flops: z.record(z.string(), rate), moved: rate, upload: rate.nullable() }),
);

/** What was measured, by device. */
type RateCache = z.infer<typeof cacheSchema>;

/**
 * The rates of a device of this machine, measured in a second or two unless they are in the file already. A file that
 * cannot be read or written only means that they are measured again.
 *
 * @param classes - kinds of work whose rates are needed.
 */
export async function measuredRates(
  device: Device,
  classes: readonly WorkClass[],
  cacheFile: string,
): Promise<DeviceRates> {
  const { kind, name, isa = '', threads: numThreads = '', driver = '' } = device.describe();
  const key = [kind, name, isa, numThreads, driver].filter((fact) => fact !== '').join(' ');
  const cache = await readCache(cacheFile);
  const known = cache[key];
  const flops: Record<string, number> = { ...known?.flops };
  const missing = classes.filter((name) => name !== MEMORY && flops[name] === undefined);
  for (const name of missing) flops[name] = (await probeWork(device, name)).flopsPerSecond;
  const moved = known?.moved ?? (await probeWork(device, MEMORY)).movedBytesPerSecond;
  const upload = known?.upload ?? (kind === 'cuda' ? await probeUpload(device) : null);
  if (known === undefined || missing.length > 0) {
    await writeCache(cacheFile, { ...cache, [key]: { flops, moved, upload } });
  }
  return {
    ...{ name, source: 'measured', flopsPerSecond: flops },
    ...{ movedBytesPerSecond: moved, uploadBytesPerSecond: upload },
  };
}

async function readCache(file: string): Promise<RateCache> {
  try {
    const found = cacheSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return found.success ? found.data : {};
  } catch {
    return {};
  }
}

async function writeCache(file: string, cache: RateCache): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, JSON.stringify(cache, null, 2));
    await rename(temporary, file);
  } catch {
    // The next estimate measures again.
  }
}
