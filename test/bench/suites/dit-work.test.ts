import { expect, test } from 'vitest';
import { blockFlops, doubleBlockFlops, singleBlockFlops } from '../../../bench/suites/dit-work.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';

const CONFIG = parseDitConfig({
  num_attention_heads: 1,
  attention_head_dim: 6,
  num_layers: 2,
  num_single_layers: 3,
  num_refiner_layers: 1,
  mlp_ratio: 2,
  text_embed_dim: 4,
  pooled_projection_dim: 4,
  rope_axes_dim: [2, 2, 2],
  has_image_proj: true,
  image_proj_dim: 4,
  has_clean_x_embedder: true,
});
const [D, F] = [6, 12];

test('a double block has four projections and an MLP for every token', () => {
  const tokens = 5 + 2;
  const linear = 2 * tokens * (4 * D * D + 2 * D * F);
  const modulation = 2 * (2 * D * 6 * D);
  const attention = 2 * (2 * tokens * tokens * D);
  expect(doubleBlockFlops(CONFIG, { image: 5, text: 2 })).toBe(linear + modulation + attention);
});

test('a single block projects attention and MLP back together', () => {
  const tokens = 5 + 2;
  const linear = 2 * tokens * (3 * D * D + D * F + (D + F) * D);
  const modulation = 2 * D * 3 * D;
  const attention = 2 * (2 * tokens * tokens * D);
  expect(singleBlockFlops(CONFIG, { image: 5, text: 2 })).toBe(linear + modulation + attention);
});

test('a network is the sum of its blocks', () => {
  const lengths = { image: 3, text: 1 };
  expect(blockFlops(CONFIG, lengths)).toBe(
    2 * doubleBlockFlops(CONFIG, lengths) + 3 * singleBlockFlops(CONFIG, lengths),
  );
});
