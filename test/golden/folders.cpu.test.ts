import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { formatComparison, Report } from './report.ts';
import { runGoldenFolder } from './run-folder.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

const folderOf = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/golden/${name}`, import.meta.url));

describe('golden folders', () => {
  it.each([
    ['dit', 'f32', 48],
    ['encoders-vae', 'f32', 96],
    ['e2e', 'f32', 51],
    ['lora', 'f32', 268],
    ['dit', 'bf16', 48],
    ['encoders-vae', 'bf16', 96],
  ] as const)(
    '%s in %s agrees with the reference',
    { timeout: 600_000 },
    async (name, dtype, count) => {
      const report = new Report();
      await runGoldenFolder({ folder: folderOf(name), device, dtype, report });
      expect(report.failures.map(formatComparison)).toEqual([]);
      expect(report.comparisons).toHaveLength(count);
    },
  );

  it('leaves nothing on the device', async () => {
    await runGoldenFolder({ folder: folderOf('dit'), device, dtype: 'f32', report: new Report() });
    await device.synchronize();
    expect(device.memory().liveTensors).toBe(0);
  });
});
