import { expect, test } from 'vitest';
import { approximateBytes, findModelSet, MODEL_SETS } from '../../src/hub/model-sets.ts';

test('a released model is found by its repository, in any case of letters', () => {
  expect(findModelSet('lllyasviel/framepacki2v_hy')?.mode).toBe('i2v');
  expect(findModelSet('lllyasviel/FramePack_F1_I2V_HY_20250503')?.mode).toBe('f1');
  expect(findModelSet('owner/model')).toBeUndefined();
});

test('a released model takes about 42 GB', () => {
  for (const set of MODEL_SETS) expect(approximateBytes(set) / 1e9).toBeCloseTo(42.3545, 3);
});
