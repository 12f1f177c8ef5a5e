import { expect, test } from 'vitest';
import type { OFFICIAL_CONFIGS } from '../../../src/weights/official/configs.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';

/** Counts published with the checkpoints. */
test.each<[keyof typeof OFFICIAL_CONFIGS, number, number]>([
  ['transformer', 1274, 12_874_314_816],
  ['text_encoder', 290, 7_505_186_816],
  ['text_encoder_2', 196, 123_060_480],
  ['image_encoder', 448, 428_225_600],
  ['vae', 248, 246_478_803],
])('the built-in configuration of %s has the published parameters', (part, tensors, parameters) => {
  const sizes = Object.values(officialShapes()[part]).map((shape) =>
    shape.reduce((size, extent) => size * extent, 1),
  );
  expect(sizes).toHaveLength(tensors);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameters);
});
