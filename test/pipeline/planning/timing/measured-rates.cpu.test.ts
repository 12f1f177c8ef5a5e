import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measuredRates } from '../../../../src/pipeline/planning/timing/measured-rates.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'device-rates-'));
  file = join(folder, 'cache', 'rates.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const ONE_THREAD = { device: 'cpu', threads: 1 } as const;

describe('measuredRates', () => {
  it('measures what is needed once, and keeps it by device', async () => {
    const first = (await measuredRates(ONE_THREAD, ['product f32', 'memory f32'], file))!;
    expect(Object.keys(first.flopsPerSecond)).toEqual(['product f32']);
    expect(first).toMatchObject({ source: 'measured', uploadBytesPerSecond: null });
    expect(readdirSync(join(folder, 'cache'))).toEqual(['rates.json']);
    const again = await measuredRates(ONE_THREAD, ['product f32'], file);
    expect(again).toEqual(first);
    const more = (await measuredRates(ONE_THREAD, ['attention f32'], file))!;
    expect(more.flopsPerSecond['product f32']).toBe(first.flopsPerSecond['product f32']);
    expect(more.flopsPerSecond['attention f32']).toBeGreaterThan(0);
    await measuredRates({ ...ONE_THREAD, threads: 2 }, [], file);
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toHaveLength(2);
  });

  it('measures again where the file is damaged or cannot be written', async () => {
    const damaged = join(folder, 'damaged.json');
    for (const text of ['{', '[]', '{"cpu":{"flops":{},"moved":-1,"upload":null}}']) {
      writeFileSync(damaged, text);
      expect((await measuredRates(ONE_THREAD, [], damaged))!.movedBytesPerSecond).toBeGreaterThan(
        0,
      );
      expect(Object.keys(JSON.parse(readFileSync(damaged, 'utf8')))).toHaveLength(1);
    }
    const blocked = join(damaged, 'rates.json');
    expect((await measuredRates(ONE_THREAD, [], blocked))!.movedBytesPerSecond).toBeGreaterThan(0);
    expect(existsSync(blocked)).toBe(false);
  });

  it.skipIf(existsSync('/dev/nvidiactl'))('knows nothing of a GPU that is not there', async () => {
    expect(await measuredRates({ device: 'cuda' }, ['product f32'], file)).toBeNull();
    expect(existsSync(file)).toBe(false);
  });
});
