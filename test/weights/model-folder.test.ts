import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelFolder, type PartPaths, readJson } from '../../src/weights/model-folder.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import { writeSparse } from '../full-size/sparse-file.ts';

const TINY = fileURLToPath(new URL('../../models/tiny-framepack', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

describe('ModelFolder.open', () => {
  it('finds every part of the small checkpoint', async () => {
    const model = await ModelFolder.open(TINY);
    expect(model.info.name).toBe('tiny-framepack');
    expect(model.path('vae')).toBe(join(TINY, 'vae'));
    expect(model.readConfig('transformer')).toMatchObject({ num_layers: 3 });
    expect(model.has('feature_extractor')).toBe(true);
  });

  it('takes a folder without framepack.json for the official model', async () => {
    mkdirSync(join(folder, 'transformer'));
    const model = await ModelFolder.open(folder);
    expect(model.info.modes).toEqual(['i2v', 'f1']);
    expect(model.info.buckets).toHaveLength(14);
    expect(model.has('vae')).toBe(false);
    expect(model.info.defaults.mode).toBeNull();
    expect(() => model.path('vae')).toThrow('expected the part vae, got none');
    expect(model.configFile('transformer')).toBeNull();
    expect(model.readConfig('transformer')).toBe(OFFICIAL_CONFIGS.transformer);
  });

  it('refuses another folder and an invalid framepack.json', async () => {
    await expect(ModelFolder.open(folder)).rejects.toThrow('expected a model folder');
    await expect(ModelFolder.open(join(folder, 'none'))).rejects.toThrow('expected a model folder');
    mkdirSync(join(folder, 'transformer'));
    write('framepack.json', '{"format":"other"}');
    await expect(ModelFolder.open(folder)).rejects.toThrow('framepack.json: format');
  });
});

describe('ModelFolder.of', () => {
  it('takes parts from anywhere', async () => {
    const { info } = await ModelFolder.open(TINY);
    const parts = { vae: join(TINY, 'vae'), transformer: join(TINY, 'transformer') };
    const model = ModelFolder.of({ source: 'mine', info, parts });
    expect(model.path('vae')).toBe(parts.vae);
    expect(model.has('text_encoder')).toBe(false);
    expect(() => model.path('text_encoder')).toThrow('mine: expected the part text_encoder');
    expect(() => ModelFolder.of({ source: 'mine', info, parts }, { variant: 'fp16' })).toThrow(
      'variant fp16 expected in some part, got none',
    );
  });
});

describe('the files of a part', () => {
  const modelOf = async (parts: PartPaths): Promise<ModelFolder> => {
    const { info } = await ModelFolder.open(TINY);
    return ModelFolder.of({ source: 'mine', info, parts });
  };

  it('have the configuration beside them, unless it may be that of another', async () => {
    const config = write('config.json', '{"a":1}');
    const vae = write('vae.safetensors', '');
    const alone = await modelOf({ vae, text_encoder: join(TINY, 'text_encoder') });
    expect(alone.configFile('vae')).toBe(config);
    expect(alone.readConfig('vae')).toEqual({ a: 1 });
    expect(alone.readConfig('text_encoder')).toMatchObject({ num_hidden_layers: 4 });
    const shared = await modelOf({ vae, transformer: write('dit.safetensors', '') });
    expect(shared.configFile('vae')).toBeNull();
    expect(shared.readConfig('vae')).toBe(OFFICIAL_CONFIGS.vae);
  });

  it('have the configuration of those in whose place they are, when they come without', async () => {
    const { info } = await ModelFolder.open(TINY);
    const vae = write('vae.safetensors', '');
    const replaced = { vae: join(TINY, 'vae') };
    const model = ModelFolder.of({ source: 'mine', info, parts: { vae }, replaced });
    expect(model.configFile('vae')).toBe(join(TINY, 'vae', 'config.json'));
    const own = write('config.json', '{"a":1}');
    expect(model.configFile('vae')).toBe(own);
  });

  it('have sizes, those of other variants left out', async () => {
    const tensors = [{ name: 'a', dtype: 'F32', shape: [25] }] as const;
    const [plain, other] = ['vae/a.safetensors', 'vae/a.fp16.safetensors'].map((name) =>
      join(folder, name),
    ) as [string, string];
    writeSparse(plain, tensors);
    writeSparse(other, tensors);
    const { size } = statSync(plain);
    expect(size).toBeGreaterThan(100);
    expect((await modelOf({ vae: join(folder, 'vae') })).weightBytes('vae')).toBe(size);
    expect((await modelOf({ vae: plain })).weightBytes('vae')).toBe(size);
    const { info } = await ModelFolder.open(TINY);
    const layout = { source: 'mine', info, parts: { vae: other } };
    expect(() => ModelFolder.of(layout, { variant: 'bf16' })).toThrow('got fp16');
  });
});

describe('readJson', () => {
  it('names files that are missing, folders, pointers or no JSON', () => {
    expect(() => readJson(join(folder, 'none.json'))).toThrow('none.json: expected a file');
    expect(() => readJson(folder)).toThrow('expected a file');
    expect(() => readJson(write('a.json', '{'))).toThrow('a.json: expected JSON');
    const pointer = write('b.json', 'version https://git-lfs.github.com/spec/v1');
    expect(() => readJson(pointer)).toThrow('a Git LFS pointer');
  });

  it('follows links and leaves __proto__ alone', () => {
    const link = join(folder, 'link.json');
    symlinkSync(write('c.json', '{"__proto__":{"polluted":true}}'), link);
    readJson(link);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
