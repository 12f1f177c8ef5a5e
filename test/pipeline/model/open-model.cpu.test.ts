import {
  copyFileSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CachedRepository } from '../../../src/hub/cache/cached-repository.ts';
import { openModel, openModelOnMeta } from '../../../src/pipeline/model/open-model.ts';
import { NETWORKS } from '../../../src/weights/model-folder.ts';
import { COMFY_FILES, writeComfyFolder } from '../../full-size/comfy-folder.ts';
import { COMMIT, writeOfficialCache } from '../../full-size/official-cache.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';
import { behind, storedAs } from '../../full-size/public-layouts.ts';
import { writeSparse } from '../../full-size/sparse-file.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { tinyGguf } from '../../models/tiny-gguf.ts';

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

const F1 = 'lllyasviel/FramePack_F1_I2V_HY_20250503';
let cacheFolder: string;
let models: string;
beforeAll(async () => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'open-model-'));
  models = join(cacheFolder, 'ComfyUI', 'models');
  await writeOfficialCache(cacheFolder, F1);
  writeComfyFolder(models);
}, 60_000);
afterAll(() => rmSync(cacheFolder, { recursive: true }));

describe('a released model in files of others', { timeout: 60_000 }, () => {
  test('opens from a folder of ComfyUI, with tokenizers of the cache', async () => {
    await using model = await openModelOnMeta({ model: models, cacheFolder }, 'cpu');
    expect(model.leftOver).toEqual([]);
    expect(model.info.defaults.mode).toBe('i2v');
    expect(model.folder.path('vae')).toBe(join(models, COMFY_FILES.vae));
    expect(model.folder.path('tokenizer')).toContain('models--hunyuanvideo-community');
    const bytesOfWeight = model.folder.weightBytes('transformer') / 12_874_314_816;
    expect(bytesOfWeight).toBeGreaterThan(1);
    expect(bytesOfWeight).toBeLessThan(1.5);
  });

  test('opens from parts alone, and in place of those of a repository', async () => {
    const file = (part: keyof typeof COMFY_FILES): string => join(models, COMFY_FILES[part]);
    const parts = {
      transformer: file('transformer'),
      vae: file('vae'),
      textEncoder: file('text_encoder'),
      clip: file('text_encoder_2'),
      imageEncoder: file('image_encoder'),
    };
    const { transformer: _, ...others } = parts;
    for (const [options, mode] of [
      [{ parts }, 'i2v'],
      [{ model: F1, parts: others }, 'f1'],
    ] as const) {
      await using model = await openModelOnMeta({ ...options, cacheFolder }, 'cpu');
      expect(model.leftOver).toEqual([]);
      expect(model.info.defaults.mode).toBe(mode);
      expect(model.folder.path('image_encoder')).toBe(parts.imageEncoder);
    }
  });

  test('opens from one file that holds everything', async () => {
    const shapes = officialShapes();
    const one = join(cacheFolder, 'FramePack_F1_all.safetensors');
    writeSparse(one, [
      ...behind('model.diffusion_model.', storedAs('BF16', shapes.transformer)),
      ...behind('vae.', storedAs('BF16', shapes.vae)),
      ...behind('language_model.model.', storedAs('BF16', shapes.text_encoder)),
      ...behind('text_encoders.clip_l.transformer.', storedAs('BF16', shapes.text_encoder_2)),
      ...behind('model.', storedAs('BF16', shapes.image_encoder)),
    ]);
    await using model = await openModelOnMeta({ model: one, cacheFolder }, 'cpu');
    expect(NETWORKS.map((part) => model.folder.path(part))).toEqual(NETWORKS.map(() => one));
    expect(model.leftOver).toEqual([]);
    expect(model.info.defaults.mode).toBe('f1');
  });

  test('says that a part without configuration was taken for the released one', async () => {
    const parts = { vae: join(cacheFolder, 'tiny-vae.safetensors') };
    copyFileSync(join(TINY_MODEL, 'vae', 'diffusion_pytorch_model.safetensors'), parts.vae);
    await expect(
      openModelOnMeta({ model: models, parts, cacheFolder }, 'cpu'),
    ).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(
        `(in ${parts.vae}, without a config.json, so that the released model's was taken)`,
      ),
    });
  });
});

test('a part without a configuration has that of the network in whose place it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-model-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const transformer = join(folder, 'tiny-Q8_0.gguf');
  writeFileSync(transformer, (await tinyGguf()).gguf);
  await using model = await openModelOnMeta({ model: TINY_MODEL, parts: { transformer } }, 'cpu');
  expect(model.leftOver).toEqual([]);
  expect(model.folder.path('transformer')).toBe(transformer);
});
