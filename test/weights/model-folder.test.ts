import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelFolder, readJson, snapshotFolder } from '../../src/weights/model-folder.ts';

const TINY = fileURLToPath(new URL('../../models/tiny-framepack', import.meta.url));
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

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

/** A repository in the cache with one part. */
function cacheRepository(name: string, part: string): void {
  write(`hub/models--${name}/refs/main`, COMMIT);
  write(`hub/models--${name}/snapshots/${COMMIT}/${part}/config.json`, `{"part":"${part}"}`);
}

describe('ModelFolder.open', () => {
  it('finds every part of the small checkpoint', async () => {
    const model = await ModelFolder.open(TINY);
    expect(model.info.name).toBe('tiny-framepack');
    expect(model.path('vae')).toBe(join(TINY, 'vae'));
    expect(model.readJson('transformer')).toMatchObject({ num_layers: 3 });
    expect(model.readJson('tokenizer_2', 'tokenizer_config.json')).toBeTypeOf('object');
    expect(model.has('feature_extractor')).toBe(true);
  });

  it('takes a folder without framepack.json for the official model', async () => {
    mkdirSync(join(folder, 'transformer'));
    const model = await ModelFolder.open(folder);
    expect(model.info.modes).toEqual(['i2v', 'f1']);
    expect(model.info.buckets).toHaveLength(14);
    expect(model.has('vae')).toBe(false);
    expect(() => model.path('vae')).toThrow('expected the part vae at');
    expect(() => model.readJson('transformer')).toThrow('config.json: expected a file, got none');
  });

  it('refuses another folder and an invalid framepack.json', async () => {
    await expect(ModelFolder.open(folder)).rejects.toThrow('expected a model folder');
    await expect(ModelFolder.open(join(folder, 'none'))).rejects.toThrow('expected a model folder');
    mkdirSync(join(folder, 'transformer'));
    write('framepack.json', '{"format":"other"}');
    await expect(ModelFolder.open(folder)).rejects.toThrow('framepack.json: format');
  });
});

describe('ModelFolder.openCached', () => {
  it('finds the parts of the official model in their repositories', async () => {
    cacheRepository('lllyasviel--FramePackI2V_HY', '.');
    cacheRepository('hunyuanvideo-community--HunyuanVideo', 'vae');
    const cache = { hfHome: folder };
    const model = await ModelFolder.openCached(cache, 'i2v');
    expect(model.info.modes).toEqual(['i2v']);
    expect(model.readJson('transformer')).toEqual({ part: '.' });
    expect(model.readJson('vae')).toEqual({ part: 'vae' });
    expect(model.has('text_encoder')).toBe(false);
    expect(model.has('image_encoder')).toBe(false);
    expect(() => model.path('image_encoder')).toThrow('lllyasviel/flux_redux_bfl');
    await expect(ModelFolder.openCached(cache, 'f1')).rejects.toThrow(
      'lllyasviel/FramePack_F1_I2V_HY_20250503: expected a snapshot of main',
    );
  });
});

describe('snapshotFolder', () => {
  it('follows a reference, takes a commit, and prefers HF_HUB_CACHE', () => {
    cacheRepository('org--name', '.');
    const expected = join(folder, 'hub', 'models--org--name', 'snapshots', COMMIT);
    const hubCache = join(folder, 'hub');
    expect(snapshotFolder({ hfHome: folder }, 'org/name')).toBe(expected);
    expect(snapshotFolder({ hubCache, hfHome: '/nowhere' }, 'org/name', COMMIT)).toBe(expected);
  });

  it('refuses names that could leave the cache', () => {
    const cache = { hubCache: folder };
    for (const name of ['name', '../name', 'a/b/c', 'org/..', 'org/na\\me', '/etc']) {
      expect(() => snapshotFolder(cache, name)).toThrow(
        expect.objectContaining({ code: 'ERR_ARGUMENT' }),
      );
    }
    for (const revision of ['../main', 'a/b', '..', '']) {
      expect(() => snapshotFolder(cache, 'org/name', revision)).toThrow(
        expect.objectContaining({ code: 'ERR_ARGUMENT' }),
      );
    }
  });

  it('refuses a reference that is no commit, a missing snapshot, and no cache', () => {
    write('hub/models--org--name/refs/main', '../../../../etc');
    expect(() => snapshotFolder({ hfHome: folder }, 'org/name')).toThrow(
      'expected a snapshot of main',
    );
    write('hub/models--org--name/refs/main', COMMIT);
    expect(() => snapshotFolder({ hfHome: folder }, 'org/name')).toThrow(
      'expected a snapshot of main',
    );
    expect(() => snapshotFolder({}, 'org/name')).toThrow('expected a cache folder');
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
