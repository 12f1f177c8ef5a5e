import { mkdtempSync, rmSync, truncateSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CachedRepository } from '../../../src/hub/cache/cached-repository.ts';
import { openModel, openModelOnMeta } from '../../../src/pipeline/model/open-model.ts';
import { COMMIT, writeOfficialCache } from '../../full-size/official-cache.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

test('opens checkpoint and device, and closes the device', async () => {
  const model = await openModel({ model: TINY_MODEL, threads: 1, budgetBytes: 2 ** 30 });
  expect(model).toMatchObject({ dtype: 'f32', budgetBytes: 2 ** 30, info: { fps: 30 } });
  expect(model.device.memory().budgetBytes).toBe(2 ** 30);
  await model[Symbol.asyncDispose]();
  expect(model.device.isClosed).toBe(true);
  await expect(openModel({ model: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
});

test('takes the CPU without a GPU, and says why', async () => {
  await using model = await openModel({ model: TINY_MODEL });
  expect(model.deviceFacts).toMatchObject({
    ...{ kind: 'cpu', ordinal: null },
    ...{ name: model.device.describe().name, whyNoGpu: expect.stringContaining('driver') },
  });
  await using chosen = await openModel({ model: TINY_MODEL, device: 'cpu' });
  expect(chosen.deviceFacts).not.toHaveProperty('whyNoGpu');
});

test.each([
  ['cpu', 'f32'],
  ['cuda', 'bf16'],
] as const)('rehearses for %s in %s', async (kind, dtype) => {
  await using model = await openModelOnMeta({ model: TINY_MODEL, budgetBytes: 2 ** 40 }, kind);
  expect(model).toMatchObject({ dtype, budgetBytes: 2 ** 40, deviceFacts: { kind: 'meta' } });
  expect(model.device.kind).toBe('meta');
});

test('opens a released model by its repository, and refuses what of it is damaged before anything is read', {
  timeout: 60_000,
}, async () => {
  const model = 'lllyasviel/FramePack_F1_I2V_HY_20250503';
  const cacheFolder = mkdtempSync(join(tmpdir(), 'open-model-'));
  onTestFinished(() => rmSync(cacheFolder, { recursive: true }));
  await expect(openModel({ model, cacheFolder })).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringContaining('would fetch them, about 42.4 GB'),
  });
  await writeOfficialCache(cacheFolder, model);
  const opened = await openModelOnMeta({ model, cacheFolder }, 'cpu');
  await using _ = opened;
  expect(opened.info.defaults.mode).toBe('f1');
  expect(opened.leftOver).toEqual([]);
  const weights = (repository: string, file: string): string =>
    join(new CachedRepository(cacheFolder, repository).snapshotFolder(COMMIT), file);
  const shard = 'diffusion-00003-of-00003.safetensors';
  truncateSync(weights(model, shard), 1_000_000);
  await expect(openModel({ model, cacheFolder })).rejects.toThrow(
    new RegExp(`${shard}: .* the file is cut off$`),
  );
  unlinkSync(weights('hunyuanvideo-community/HunyuanVideo', 'vae/model.safetensors'));
  await expect(openModel({ model, cacheFolder })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
});
