import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CachedRepository } from '../../../../src/hub/cache/cached-repository.ts';
import { MODEL_SETS } from '../../../../src/hub/model-sets.ts';
import { locateModel } from '../../../../src/pipeline/model/locate/locate-model.ts';
import type { ModelParts } from '../../../../src/pipeline/model/locate/part-fields.ts';
import { OFFICIAL_CONFIGS } from '../../../../src/weights/official/configs.ts';
import { COMMIT } from '../../../full-size/official-cache.ts';
import { writeSparse } from '../../../full-size/sparse-file.ts';
import { TINY_MODEL } from '../../../models/tiny-framepack.ts';

const [I2V, F1] = MODEL_SETS.map(({ repository }) => repository) as [string, string];

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'locate-model-'));
});
afterEach(() => rmSync(cacheFolder, { recursive: true }));

const locate = (model: string, parts?: ModelParts) => locateModel({ model, parts, cacheFolder });

/** Folder of a repository's files in the cache, made. */
function snapshotOf(repository: string): string {
  const cached = new CachedRepository(cacheFolder, repository);
  const snapshot = cached.snapshotFolder(COMMIT);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(cached.folder, 'refs'), { recursive: true });
  writeFileSync(join(cached.folder, 'refs', 'main'), COMMIT);
  return snapshot;
}

/** A small file for every part of a released model. */
function writeReleased(repository: string): void {
  for (const part of MODEL_SETS.find((set) => set.repository === repository)!.parts) {
    for (const { name } of part.folders) {
      const folder = join(snapshotOf(part.repository), name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ part: name }));
    }
  }
}

async function refusal(model: string): Promise<string> {
  const error: unknown = await locate(model).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_CHECKPOINT' });
  return (error as Error).message;
}

describe('a repository', () => {
  it.each([
    [I2V, 'i2v'],
    [F1, 'f1'],
    [F1.toUpperCase(), 'f1'],
    [`${I2V}@main`, 'i2v'],
    [`${I2V}@${COMMIT}`, 'i2v'],
  ])('%s of a released model tells its mode, %s, and where all parts are', async (name, mode) => {
    writeReleased(I2V);
    writeReleased(F1);
    const model = await locate(name);
    expect(model.info).toMatchObject({ modes: [mode], defaults: { mode } });
    expect(model.readConfig('transformer')).toEqual({ part: '' });
    for (const part of ['vae', 'text_encoder', 'text_encoder_2', 'image_encoder'] as const) {
      expect(model.readConfig(part)).toEqual({ part });
    }
    expect([model.has('tokenizer'), model.has('tokenizer_2')]).toEqual([true, true]);
  });

  it('that is not in the cache: says what a pull would fetch, and how large', async () => {
    expect(await refusal(I2V)).toBe(
      `checkpoint: ${I2V}: expected its files in ${cacheFolder}, got none of ${I2V} (25.7 GB); ` +
        'hunyuanvideo-community/HunyuanVideo text_encoder (15.0 GB), text_encoder_2 (0.2 GB), tokenizer, ' +
        'tokenizer_2, vae (0.5 GB); lllyasviel/flux_redux_bfl image_encoder (0.9 GB), feature_extractor; ' +
        `"framepack pull ${I2V} --cache ${cacheFolder}" would fetch them, about 42.4 GB`,
    );
  });

  it('of which something is missing: names only that', async () => {
    writeReleased(F1);
    rmSync(join(snapshotOf('hunyuanvideo-community/HunyuanVideo'), 'vae'), { recursive: true });
    const message = await refusal(F1);
    expect(message).toContain('got none of hunyuanvideo-community/HunyuanVideo vae (0.5 GB);');
    expect(message).toContain('would fetch them, about 0.5 GB');
    await expect(locate(F1)).rejects.toMatchObject({
      details: {
        repository: F1,
        missing: ['hunyuanvideo-community/HunyuanVideo/vae'],
        missingBytes: 492_957_606,
      },
    });
  });

  it('of somebody else is a model folder in the cache', async () => {
    cpSync(TINY_MODEL, snapshotOf('owner/tiny'), { recursive: true });
    expect((await locate('owner/tiny')).info.name).toBe('tiny-framepack');
    expect(await refusal('owner/none')).toContain('"framepack pull owner/none --cache');
    snapshotOf('owner/empty');
    expect(await refusal('owner/empty')).toContain(
      'expected a model folder with a folder transformer/',
    );
  });
});

describe('a path', () => {
  it('of a model folder', async () => {
    const model = await locate(TINY_MODEL);
    expect(model.source).toBe(TINY_MODEL);
    expect(model.info).toMatchObject({ name: 'tiny-framepack', defaults: { mode: 'i2v' } });
  });

  it('of a cache, its parent, a repository in it and its snapshot', async () => {
    const home = cacheFolder;
    cacheFolder = join(home, 'hf_download', 'hub');
    writeReleased(F1);
    const { folder } = new CachedRepository(cacheFolder, F1);
    const paths = [home, join(home, 'hf_download'), `${cacheFolder}/`, folder, snapshotOf(F1)];
    for (const path of paths) {
      const model = await locate(path);
      expect(model.source.split('@')[0]).toBe(F1);
      expect(model.info.modes).toEqual(['f1']);
      expect(model.path('vae')).toContain(join(cacheFolder, 'models--hunyuanvideo-community'));
    }
    cacheFolder = home;
  });

  it('of a cache that holds both released models or none', async () => {
    snapshotOf('owner/other');
    expect(await refusal(cacheFolder)).toContain('got none; "framepack pull');
    writeReleased(I2V);
    writeReleased(F1);
    expect(await refusal(cacheFolder)).toMatch(
      /got both; name one by its folder: .*--FramePackI2V_HY/,
    );
  });

  it('that is nothing', async () => {
    expect(await refusal('nowhere')).toContain('expected a path, or a repository such as');
    expect(await refusal('../none')).toContain('expected a path, or a repository such as');
    expect(await refusal(cacheFolder)).toContain('expected a model folder');
  });
});

const ONE = [{ name: 'a', dtype: 'F32', shape: [1] }] as const;

describe('the mode of a released model in a folder', () => {
  beforeEach(() => writeReleased(I2V));

  const write = (name: string, metadata: Record<string, string> = {}): string => {
    const folder = join(cacheFolder, name, 'transformer');
    mkdirSync(folder, { recursive: true });
    writeSparse(join(folder, 'model.safetensors'), ONE, metadata);
    return join(cacheFolder, name);
  };

  it('is that of its name, and open without one', async () => {
    const info = async (folder: string) => (await locate(folder)).info;
    expect((await info(write('FramePack_F1_I2V_HY'))).defaults.mode).toBe('f1');
    expect((await info(write('FramePackI2V_HY'))).defaults.mode).toBe('i2v');
    expect(await info(write('mine'))).toMatchObject({
      modes: ['i2v', 'f1'],
      defaults: { mode: null },
    });
  });

  it('is that of the repository it links to', async () => {
    const snapshot = snapshotOf(F1);
    writeSparse(join(snapshot, 'model.safetensors'), ONE);
    mkdirSync(join(cacheFolder, 'mine'));
    symlinkSync(snapshot, join(cacheFolder, 'mine', 'transformer'));
    expect((await locate(join(cacheFolder, 'mine'))).info.defaults.mode).toBe('f1');
  });
});

describe('parts', () => {
  it('take the place of those of a model', async () => {
    const vae = join(TINY_MODEL, 'vae', 'diffusion_pytorch_model.safetensors');
    const clip = join(TINY_MODEL, 'text_encoder_2');
    writeReleased(I2V);
    const model = await locate(I2V, { vae, clip });
    expect(model.path('vae')).toBe(vae);
    expect(model.path('text_encoder_2')).toBe(clip);
    expect(model.path('tokenizer_2')).toBe(join(TINY_MODEL, 'tokenizer_2'));
    expect(model.path('tokenizer')).toContain(cacheFolder);
    expect(model.readConfig('vae')).toMatchObject({ _class_name: expect.any(String) });
    expect(model.info.defaults.mode).toBe('i2v');
  });

  it('are enough with a transformer, whose repository then tells no mode', async () => {
    const transformer = join(cacheFolder, 'fine-tuned.safetensors');
    writeSparse(transformer, ONE);
    const parts = { transformer };
    await expect(locateModel({ parts, cacheFolder })).rejects.toThrow(
      `checkpoint: ${transformer}: expected all parts of a model, got no vae (--vae), `,
    );
    writeReleased(I2V);
    const alone = await locateModel({ parts, cacheFolder });
    expect(alone.source).toBe(transformer);
    expect(alone.readConfig('transformer')).toBe(OFFICIAL_CONFIGS.transformer);
    expect(alone.path('vae')).toContain('models--hunyuanvideo-community--HunyuanVideo');
    for (const model of [alone, await locate(I2V, parts)]) {
      expect(model.info).toMatchObject({ modes: ['i2v', 'f1'], defaults: { mode: null } });
    }
  });

  it('do for a transformer that is not in the cache', async () => {
    writeReleased(I2V);
    rmSync(new CachedRepository(cacheFolder, I2V).folder, { recursive: true });
    expect(await refusal(I2V)).toContain(`got none of ${I2V} (25.7 GB);`);
    const transformer = join(cacheFolder, 'FramePack_F1.safetensors');
    writeSparse(transformer, ONE);
    expect((await locate(I2V, { transformer })).info.defaults.mode).toBe('f1');
  });

  it('need a transformer or a model, and are there', async () => {
    for (const parts of [undefined, {}, { vae: TINY_MODEL }]) {
      await expect(locateModel({ parts, cacheFolder })).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        message: 'model: expected a path, a repository, or parts with a transformer, got none',
      });
    }
    await expect(locate(TINY_MODEL, { vae: 'nowhere' })).rejects.toThrow(
      '--vae expected a file or a folder, got nothing at nowhere',
    );
  });
});
