import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measuredRates } from '../../../../src/pipeline/planning/timing/measured-rates.ts';
import { Device } from '../../../../src/tensor/device.ts';
import type { WorkClass } from '../../../../src/tensor/work/work-meter.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'device-rates-'));
  file = join(folder, 'cache', 'rates.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The rates of the CPU device with so many threads. */
async function ratesOf(threads: number, classes: readonly WorkClass[], cacheFile: string) {
  await using device = Device.open('cpu', { threads });
  return await measuredRates(device, classes, cacheFile);
}

describe('measuredRates', () => {
  it('measures what is needed once, and keeps it by device', async () => {
    const first = await ratesOf(1, ['product f32', 'memory f32'], file);
    expect(Object.keys(first.flopsPerSecond)).toEqual(['product f32']);
    expect(first).toMatchObject({ source: 'measured', uploadBytesPerSecond: null });
    expect(readdirSync(join(folder, 'cache'))).toEqual(['rates.json']);
    const again = await ratesOf(1, ['product f32'], file);
    expect(again).toEqual(first);
    const more = await ratesOf(1, ['attention f32'], file);
    expect(more.flopsPerSecond['product f32']).toBe(first.flopsPerSecond['product f32']);
    expect(more.flopsPerSecond['attention f32']).toBeGreaterThan(0);
    await ratesOf(2, [], file);
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toHaveLength(2);
  });

  it('measures again where the file is damaged or cannot be written', async () => {
    const damaged = join(folder, 'damaged.json');
    for (const text of ['{', '[]', '{"cpu":{"flops":{},"moved":-1,"upload":null}}']) {
      writeFileSync(damaged, text);
      expect((await ratesOf(1, [], damaged)).movedBytesPerSecond).toBeGreaterThan(0);
      expect(Object.keys(JSON.parse(readFileSync(damaged, 'utf8')))).toHaveLength(1);
    }
    const blocked = join(damaged, 'rates.json');
    expect((await ratesOf(1, [], blocked)).movedBytesPerSecond).toBeGreaterThan(0);
    expect(existsSync(blocked)).toBe(false);
  });
});
