import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointDigests } from '../../../src/pipeline/metadata/checkpoint-digests.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { buildSafetensors, f32 } from '../../build-safetensors.ts';

const signal = new AbortController().signal;
const weights = buildSafetensors({ a: f32([1], [1]) });
const BLOB = 'b'.repeat(64);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-digests-'));
  mkdirSync(join(folder, 'transformer'));
  mkdirSync(join(folder, 'vae'));
  writeFileSync(join(folder, 'transformer', 'config.json'), '{}');
  writeFileSync(join(folder, 'transformer', 'model.safetensors'), weights);
  // Another content than the name says, so that a name that is not trusted shows.
  writeFileSync(join(folder, 'vae', BLOB), weights);
  symlinkSync(join(folder, 'vae', BLOB), join(folder, 'vae', 'model.safetensors'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('checkpointDigests', () => {
  it('reads files, and takes the names of blobs in the cache for theirs', async () => {
    const model = await ModelFolder.open(folder);
    const digests = await checkpointDigests(model, signal);
    expect(digests).toEqual({
      'transformer/model.safetensors': createHash('sha256').update(weights).digest('hex'),
      'vae/model.safetensors': BLOB,
    });
    rmSync(join(folder, 'transformer', 'model.safetensors'));
    expect(await checkpointDigests(model, signal)).toEqual(digests);
  });

  it('stops with the signal', async () => {
    const model = await ModelFolder.open(folder);
    await expect(checkpointDigests(model, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});
