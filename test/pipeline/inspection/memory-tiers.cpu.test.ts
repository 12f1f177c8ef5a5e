import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fittingTier } from '../../../src/pipeline/inspection/memory-tiers.ts';
import { MEMORY_TIERS } from '../../../src/pipeline/planning/memory-budget.ts';
import { writeOfficialFolder } from '../../full-size/official-folder.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

const GIB = 2 ** 30;

describe('fittingTier', { timeout: 120_000 }, () => {
  it('of the small checkpoint is the smallest', async () => {
    const found = await fittingTier(TINY_MODEL);
    expect(found).toMatchObject({ tier: MEMORY_TIERS[0], memory: { tiling: 'temporal' } });
    expect(found!.peakBytes).toBeLessThan(GIB);
  });

  it('of the released model in bf16, 40 GB of files, is the smallest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-tiers-'));
    try {
      await writeOfficialFolder(folder);
      const found = await fittingTier(folder);
      expect(found).toMatchObject({
        tier: MEMORY_TIERS[0],
        memory: { transformer: 'streams', textEncoder: 'streams', tiling: 'full' },
      });
      expect(found!.peakBytes).toBeLessThanOrEqual(MEMORY_TIERS[0]!.budgetBytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses what is no model', async () => {
    await expect(fittingTier('nowhere')).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
  });
});
