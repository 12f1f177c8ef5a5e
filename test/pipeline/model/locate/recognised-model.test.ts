import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recognisedParts } from '../../../../src/pipeline/model/locate/recognised-model.ts';
import { COMFY_FILES, writeComfyFolder } from '../../../full-size/comfy-folder.ts';
import { officialShapes } from '../../../full-size/official-shapes.ts';
import { behind, storedAs } from '../../../full-size/public-layouts.ts';
import { writeShards, writeSparse } from '../../../full-size/sparse-file.ts';
import { writeSparseGguf } from '../../../full-size/sparse-gguf.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recognised-model-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const find = (path: string = folder, known = {}) => recognisedParts(path, known, {});
const transformer = storedAs('BF16', officialShapes().transformer);

describe("ComfyUI's models", () => {
  it('are told apart by what they hold, from the folder itself and from the one above', () => {
    const models = join(folder, 'models');
    writeComfyFolder(models);
    const parts = Object.entries(COMFY_FILES).map(([part, file]) => [part, join(models, file)]);
    expect(find(models)).toEqual(Object.fromEntries(parts));
    expect(find()).toEqual(Object.fromEntries(parts));
  });

  it('may be links, lie deeper, and be shards', () => {
    const shards = join(folder, 'diffusers', 'lllyasviel', 'FramePackI2V_HY');
    mkdirSync(join(folder, 'unet'), { recursive: true });
    mkdirSync(shards, { recursive: true });
    writeShards(shards, 'diffusion_pytorch_model', transformer, 10e9);
    const index = join(shards, 'diffusion_pytorch_model.safetensors.index.json');
    expect(find()).toEqual({ transformer: index });
    rmSync(join(folder, 'diffusers'), { recursive: true });
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    writeSparse(join(elsewhere, 'any.safetensors'), transformer);
    symlinkSync(elsewhere, join(folder, 'unet', 'linked'));
    symlinkSync(join(folder, 'gone'), join(folder, 'unet', 'gone.safetensors'));
    expect(find()).toEqual({ transformer: join(folder, 'unet', 'linked', 'any.safetensors') });
    rmSync(elsewhere, { recursive: true });
  });

  it('may be GGUF files', () => {
    const file = join(folder, 'unet', 'framepack-Q4_K.gguf');
    writeSparseGguf(file, 'Q4_K', officialShapes().transformer);
    expect(find()).toEqual({ transformer: file });
    expect(find(file)).toEqual({ transformer: file });
  });

  it('that are there twice have to be named, unless others are used', () => {
    writeComfyFolder(folder);
    const second = join(folder, 'diffusion_models', 'FramePack_F1.safetensors');
    writeSparse(second, transformer);
    expect(() => find()).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringContaining(
          `expected each network once, got several to choose from; give --transformer ${join(folder, COMFY_FILES.transformer)} or ${second}`,
        ),
      }),
    );
    expect(find(folder, { transformer: second })).toMatchObject({
      vae: join(folder, COMFY_FILES.vae),
    });
  });
});

describe('weights', () => {
  it('in a folder or a file are those of what they hold', () => {
    const file = join(folder, 'FramePackI2V_HY_bf16.safetensors');
    writeSparse(file, transformer);
    expect(find(file)).toEqual({ transformer: file });
    expect(find()).toEqual({ transformer: file });
    const one = join(folder, 'one.safetensors');
    writeSparse(one, [
      ...behind('model.diffusion_model.', transformer),
      ...behind('vae.', storedAs('F16', officialShapes().vae)),
    ]);
    expect(find(one)).toEqual({ transformer: one, vae: one });
  });

  it('of other models are refused, with those that cannot be read', () => {
    writeFileSync(join(folder, 'a.safetensors'), '<!doctype html>');
    writeSparse(join(folder, 'b.safetensors'), [{ name: 'a', dtype: 'F32', shape: [1] }]);
    expect(() => find()).toThrow(
      /expected weights of FramePack, got none of its networks in its 2 files; .*a web page/,
    );
    renameSync(join(folder, 'b.safetensors'), join(folder, 'c'));
    expect(() => find(join(folder, 'c'))).toThrow('got none of its networks in it');
    expect(() => find(join(folder, 'a.safetensors'))).toThrow(/^checkpoint: \S+: .*a web page/);
  });

  it('are nothing where there are none', () => {
    writeFileSync(join(folder, 'readme.md'), '');
    expect(find()).toBeNull();
  });
});
