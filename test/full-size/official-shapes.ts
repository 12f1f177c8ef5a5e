import { parseClipTextConfig } from '../../src/models/clip/config.ts';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import { parseLlamaConfig } from '../../src/models/llama/config.ts';
import { parseSiglipVisionConfig } from '../../src/models/siglip/config.ts';
import { parseVaeConfig } from '../../src/models/vae/config.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import { ditShapes } from '../models/dit/dit-tensors.ts';
import { clipShapes, llamaShapes, type Shapes, siglipShapes, vaeShapes } from './network-shapes.ts';

/** Tensors of every network of the released model. */
export function officialShapes(): Record<keyof typeof OFFICIAL_CONFIGS, Shapes> {
  const { transformer, text_encoder, text_encoder_2, image_encoder, vae } = OFFICIAL_CONFIGS;
  return {
    transformer: ditShapes(parseDitConfig(transformer)),
    text_encoder: llamaShapes(parseLlamaConfig(text_encoder)),
    text_encoder_2: clipShapes(parseClipTextConfig(text_encoder_2)),
    image_encoder: siglipShapes(parseSiglipVisionConfig(image_encoder)),
    vae: vaeShapes(parseVaeConfig(vae)),
  };
}
