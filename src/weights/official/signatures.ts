import type { ModelPart } from '../model-folder.ts';
import {
  CLIP_NAMES,
  DIT_NAMES,
  LLAMA_NAMES,
  type NetworkNames,
  SIGLIP_NAMES,
  VAE_DECODER_NAMES,
} from '../network-names.ts';

/** What tells a network of the released model from every other in the same folder: a few tensors and their shapes. */
interface Signature {
  readonly part: ModelPart;
  readonly names: NetworkNames;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

const SIGNATURES: readonly Signature[] = [
  {
    part: 'transformer',
    names: DIT_NAMES,
    shapes: {
      'x_embedder.proj.weight': [3072, 16, 1, 2, 2],
      // What FramePack adds to HunyuanVideo.
      'clean_x_embedder.proj.weight': [3072, 16, 1, 2, 2],
    },
  },
  {
    part: 'vae',
    names: VAE_DECODER_NAMES,
    shapes: {
      'encoder.conv_in.conv.weight': [128, 3, 3, 3, 3],
      'decoder.conv_in.conv.weight': [512, 16, 3, 3, 3],
    },
  },
  {
    part: 'text_encoder',
    names: LLAMA_NAMES,
    // The rows tell the one that HunyuanVideo uses from other Llamas of 8 billion parameters.
    shapes: { 'embed_tokens.weight': [128_320, 4096] },
  },
  {
    part: 'text_encoder_2',
    names: CLIP_NAMES,
    shapes: {
      'embeddings.token_embedding.weight': [49_408, 768],
      'embeddings.position_embedding.weight': [77, 768],
    },
  },
  {
    part: 'image_encoder',
    names: SIGLIP_NAMES,
    shapes: {
      'embeddings.patch_embedding.weight': [1152, 3, 14, 14],
      'embeddings.position_embedding.weight': [729, 1152],
    },
  },
];

/**
 * The networks of the released model among the tensors of a file, whatever its exporter called them.
 *
 * @param shapeOf - shape of a tensor by its name in the file; undefined when there is none.
 */
export function networksAmong(
  shapeOf: (name: string) => readonly number[] | undefined,
): ModelPart[] {
  const isAt = (prefix: string, shapes: Signature['shapes']): boolean =>
    Object.entries(shapes).every(([name, shape]) => {
      const found = shapeOf(`${prefix}${name}`);
      return found?.length === shape.length && shape.every((extent, at) => extent === found[at]);
    });
  return SIGNATURES.filter(({ names, shapes }) =>
    names.prefixes.some((prefix) => isAt(prefix, shapes)),
  ).map(({ part }) => part);
}
