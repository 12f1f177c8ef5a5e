import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../src/media/png.ts';
import { type OpenModel, openModelOnMeta } from '../../src/pipeline/model/open-model.ts';
import { openRunOf } from '../../src/pipeline/open-run.ts';
import { planMemory } from '../../src/pipeline/planning/plan-memory.ts';
import { writeOfficialFolder } from './official-folder.ts';

// What a card sold with 6 GB leaves free.
const BUDGET_BYTES = 5.5 * 2 ** 30;

let folder: string;
let model: OpenModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-six-'));
  await writeOfficialFolder(folder);
  model = await openModelOnMeta({ model: folder, budgetBytes: BUDGET_BYTES }, 'cuda');
}, 120_000);
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

it.each([
  [832, 480],
  [608, 640],
])(
  'the released model in bf16 makes %d x %d in windows of nine latents',
  { timeout: 240_000 },
  async (width, height) => {
    const data = new Uint8Array(width * height * 3);
    const image = await encodePng({ width, height, data });
    const mode = 'i2v' as const;
    const request = { prompt: 'A girl dances.', image, mode, seconds: 60, steps: 25 };
    await using run = await openRunOf(model, request, () => {});
    expect([run.plan.width, run.plan.height]).toEqual([width, height]);
    const { rehearsal, memory } = await planMemory(run);
    expect(memory).toMatchObject({
      ...{ transformer: 'streams', textEncoder: 'streams', decoder: 'goes', tiling: 'full' },
      budgetBytes: BUDGET_BYTES,
    });
    expect(rehearsal.peakBytes).toBeLessThanOrEqual(BUDGET_BYTES);
    // What is left is used: another block would be too much.
    expect(memory.numResident).toBeGreaterThan(5);
    expect(rehearsal.peakBytes).toBeGreaterThan(BUDGET_BYTES - 0.75 * 2 ** 30);
  },
);
