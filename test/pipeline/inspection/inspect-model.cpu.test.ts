import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectModel } from '../../../src/pipeline/inspection/inspect-model.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

describe('inspectModel', () => {
  it('counts what the model card says', async () => {
    const { info, parts } = await inspectModel(TINY_MODEL);
    expect(info.name).toBe('tiny-framepack');
    expect(parts.map(({ part }) => part)).toEqual([
      'transformer',
      'vae',
      'text_encoder',
      'text_encoder_2',
      'image_encoder',
    ]);
    for (const { part, path, numParameters, bytes, storedTypes } of parts) {
      expect(path).toBe(join(TINY_MODEL, part));
      expect(bytes).toBe(2 * numParameters);
      expect(Object.values(storedTypes).reduce((sum, count) => sum + count, 0)).toBe(numParameters);
    }
  });

  it('refuses a folder that is no model', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framepack-inspect-'));
    await expect(inspectModel(folder)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    rmSync(folder, { recursive: true });
  });
});
