import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { DoneEvent } from '../../../src/pipeline/events.ts';
import { estimate } from '../../../src/pipeline/planning/estimate.ts';
import { smallModel } from '../cuda/compare-devices.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

const folder = mkdtempSync(join(tmpdir(), 'framepack-estimate-'));
afterAll(() => rmSync(folder, { recursive: true }));
const choice = { device: 'cuda', dtype: 'bf16', steps: 1 } as const;
const request = { ...TINY_REQUEST, ...choice, model: smallModel(folder) };
// Rates of the virtual driver would take long to measure and tell nothing.
const rates = { assume: 'rtx3060' } as const;

test('an estimate agrees with what the allocator of a GPU counts', async () => {
  const { peakBytes } = await estimate(request, rates);
  const done = (await collect(request)).at(-1) as DoneEvent;
  expect(Math.abs(peakBytes / done.peakBytes - 1)).toBeLessThan(0.02);
});

test('so it does when large networks pass through the GPU block by block', async () => {
  const least = await estimate({ ...request, budgetBytes: 1 }, rates);
  const tight = { ...request, budgetBytes: Math.ceil(1.02 * least.peakBytes) };
  const { peakBytes, memory } = await estimate(tight, rates);
  expect(memory).toMatchObject({ transformer: 'streams', decoder: 'goes' });
  const events = await collect(tight);
  expect(events[0]).toMatchObject({ type: 'plan', memory });
  const done = events.at(-1) as DoneEvent;
  expect(Math.abs(peakBytes / done.peakBytes - 1)).toBeLessThan(0.02);
});
