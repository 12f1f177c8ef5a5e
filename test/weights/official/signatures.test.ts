import { describe, expect, it } from 'vitest';
import { networksAmong } from '../../../src/weights/official/signatures.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';
import { behind, comfyScaledFp8, ldmNames, storedAs } from '../../full-size/public-layouts.ts';
import type { HeaderTensor } from '../../full-size/sparse-file.ts';

const shapes = officialShapes();
const all = Object.fromEntries(
  Object.entries(shapes).map(([part, found]) => [part, storedAs('BF16', found)]),
) as Record<keyof typeof shapes, readonly HeaderTensor[]>;

function networks(tensors: readonly HeaderTensor[]): string[] {
  const found = new Map(tensors.map(({ name, shape }) => [name, shape]));
  return networksAmong((name) => found.get(name));
}

const changed = (tensors: readonly HeaderTensor[], name: string, shape: readonly number[]) =>
  tensors.map((tensor) => (tensor.name.endsWith(name) ? { ...tensor, shape } : tensor));

describe('networksAmong', () => {
  it.each([
    ['transformer', all.transformer],
    ['transformer', behind('model.diffusion_model.', all.transformer)],
    ['transformer', comfyScaledFp8(behind('diffusion_model.', all.transformer))],
    ['vae', all.vae],
    ['vae', ldmNames(all.vae)],
    ['vae', behind('first_stage_model.', ldmNames(all.vae))],
    ['text_encoder', all.text_encoder],
    ['text_encoder', behind('language_model.model.', all.text_encoder)],
    ['text_encoder_2', all.text_encoder_2],
    ['text_encoder_2', all.text_encoder_2.map((t) => ({ ...t, name: t.name.slice(11) }))],
    ['image_encoder', all.image_encoder],
  ])('finds the %s of public files', (part, tensors) => {
    expect(networks(tensors)).toEqual([part]);
  });

  it('finds all that one file holds', () => {
    const tensors = [
      ...behind('model.diffusion_model.', all.transformer),
      ...behind('vae.', all.vae),
      ...behind('text_encoders.clip_l.transformer.', all.text_encoder_2),
    ];
    expect(networks(tensors)).toEqual(['transformer', 'vae', 'text_encoder_2']);
  });

  it.each([
    ['HunyuanVideo without clean frames', all.transformer.filter((t) => !/^clean/.test(t.name))],
    [
      'Llama 3 without added tokens',
      changed(all.text_encoder, 'embed_tokens.weight', [128_256, 4096]),
    ],
    ['CLIP with long texts', changed(all.text_encoder_2, 'position_embedding.weight', [248, 768])],
    [
      'SigLIP for small pictures',
      changed(all.image_encoder, 'position_embedding.weight', [256, 1152]),
    ],
    ['a VAE of more channels', changed(all.vae, 'decoder.conv_in.conv.weight', [512, 32, 3, 3, 3])],
    ['nothing', []],
  ])('does not take for one: %s', (_, tensors) => {
    expect(networks(tensors)).toEqual([]);
  });
});
