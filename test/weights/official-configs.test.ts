import { expect, test } from 'vitest';
import { parseClipTextConfig } from '../../src/models/clip/config.ts';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import { parseLlamaConfig } from '../../src/models/llama/config.ts';
import { parseSiglipVisionConfig } from '../../src/models/siglip/config.ts';
import { parseVaeConfig } from '../../src/models/vae/config.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official-configs.ts';
import {
  clipShapes,
  llamaShapes,
  type Shapes,
  siglipShapes,
  vaeShapes,
} from '../full-size/network-shapes.ts';
import { ditShapes } from '../models/dit/dit-tensors.ts';

const {
  transformer,
  text_encoder: llama,
  text_encoder_2: clip,
  image_encoder: siglip,
  vae,
} = OFFICIAL_CONFIGS;

/** Counts published with the checkpoints. */
test.each<[string, Shapes, number, number]>([
  ['transformer', ditShapes(parseDitConfig(transformer)), 1274, 12_874_314_816],
  ['Llama', llamaShapes(parseLlamaConfig(llama)), 290, 7_505_186_816],
  ['CLIP', clipShapes(parseClipTextConfig(clip)), 196, 123_060_480],
  ['SigLIP', siglipShapes(parseSiglipVisionConfig(siglip)), 448, 428_225_600],
  ['VAE', vaeShapes(parseVaeConfig(vae)), 248, 246_478_803],
])(
  'the built-in configuration of %s has the published parameters',
  (_, shapes, tensors, parameters) => {
    const sizes = Object.values(shapes).map((shape) =>
      shape.reduce((size, extent) => size * extent, 1),
    );
    expect(sizes).toHaveLength(tensors);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameters);
  },
);
