import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { trainingMode } from '../../../../src/pipeline/model/locate/training-mode.ts';
import { writeSparse } from '../../../full-size/sparse-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'training-mode-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, metadata: Readonly<Record<string, string>> = {}): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeSparse(file, [{ name: 'a', dtype: 'F32', shape: [1] }], metadata);
  return file;
}

test.each([
  ['FramePackI2V_HY_fp8_e4m3fn.safetensors', 'i2v'],
  ['FramePackI2V_HY_bf16.safetensors', 'i2v'],
  ['FramePack_F1_I2V_HY_20250503_fp8_e4m3fn.safetensors', 'f1'],
  ['framepack-f1-i2v-block64.safetensors', 'f1'],
  ['framepack_i2v.safetensors', 'i2v'],
  ['FramePack_F1_I2V_HY/diffusion.safetensors', 'f1'],
  ['framepack-f16.safetensors', null],
  ['hunyuan_video_f1.safetensors', null],
  ['model.safetensors', null],
])('%s was trained for %s', (name, mode) => {
  expect(trainingMode(write(name), {})).toBe(mode);
});

test('metadata and configuration tell where names do not', () => {
  const title = { 'modelspec.title': 'FramePack_F1_I2V_HY' };
  expect(trainingMode(write('a.safetensors', title), {})).toBe('f1');
  const other = { 'modelspec.title': 'a model', comment: 'like FramePackI2V' };
  expect(trainingMode(write('b.safetensors', other), {})).toBeNull();
  const file = write('c/d.safetensors');
  const config = (name: unknown): void =>
    writeFileSync(join(folder, 'c', 'config.json'), JSON.stringify({ _name_or_path: name }));
  config('lllyasviel/FramePackI2V_HY');
  expect(trainingMode(file, {})).toBe('i2v');
  expect(trainingMode(join(folder, 'c'), {})).toBe('i2v');
  config(7);
  expect(trainingMode(file, {})).toBeNull();
});

test('two things that tell different modes tell nothing', () => {
  const title = { 'modelspec.title': 'FramePackI2V_HY' };
  expect(trainingMode(write('FramePack_F1.safetensors', title), {})).toBeNull();
});

test('damaged files are an error', () => {
  writeFileSync(join(folder, 'FramePack_F1.safetensors'), 'text');
  expect(() => trainingMode(folder, {})).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT' }),
  );
});
