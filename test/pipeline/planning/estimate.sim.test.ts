import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { estimate } from '../../../src/pipeline/planning/estimate.ts';
import { smallModel } from '../cuda/compare-devices.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

test('an estimate agrees with what the allocator of a GPU counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-estimate-'));
  try {
    const choice = { device: 'cuda', dtype: 'bf16', steps: 1 } as const;
    const request = { ...TINY_REQUEST, ...choice, model: smallModel(folder) };
    // Rates of the virtual driver would take long to measure and tell nothing.
    const { peakBytes } = await estimate(request, { assume: 'rtx3060' });
    const done = (await collect(request)).at(-1)!;
    const counted = 'peakBytes' in done ? done.peakBytes : Number.NaN;
    expect(Math.abs(peakBytes / counted - 1)).toBeLessThan(0.02);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
