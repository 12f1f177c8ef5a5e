import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fittingTier,
  MEMORY_TIERS,
  tierOf,
} from '../../../src/pipeline/inspection/memory-tiers.ts';
import { writeOfficialFolder } from '../../full-size/official-folder.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

const GIB = 2 ** 30;

describe('tierOf', () => {
  it.each([
    [5, undefined],
    [5.6, '6 GB'],
    [7.4, '6 GB'],
    [11.6, '12 GB'],
    [23.5, '24 GB'],
    [79, '48+ GB'],
  ])('%d GiB free are %s', (gibibytes, name) => {
    expect(tierOf(gibibytes * GIB)?.name).toBe(name);
  });
});

describe('fittingTier', { timeout: 120_000 }, () => {
  it('of the small checkpoint is the smallest', async () => {
    const found = await fittingTier(TINY_MODEL);
    expect(found).toMatchObject({ tier: MEMORY_TIERS[0], tiling: 'temporal' });
    expect(found!.peakBytes).toBeLessThan(GIB);
  });

  it('of the released model in bf16 has room for its 24 GiB transformer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-tiers-'));
    try {
      await writeOfficialFolder(folder);
      const found = (await fittingTier(folder))!;
      expect(found.tier.budgetBytes).toBeGreaterThan(2 * 12_874_314_816);
      expect(found.peakBytes).toBeGreaterThan(2 * 12_874_314_816);
      expect(found.peakBytes).toBeLessThanOrEqual(found.tier.budgetBytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses what is no model', async () => {
    await expect(fittingTier('nowhere')).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
  });
});
