import type { ClipTextConfig } from '../../src/models/clip/config.ts';
import type { LlamaConfig } from '../../src/models/llama/config.ts';
import type { SiglipVisionConfig } from '../../src/models/siglip/config.ts';
import type { VaeConfig } from '../../src/models/vae/config.ts';

/** Names and shapes of a network's tensors, written down from the published lists and not from the code under test. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

function linear(name: string, outFeatures: number, inFeatures: number): Shapes {
  return { [`${name}.weight`]: [outFeatures, inFeatures], [`${name}.bias`]: [outFeatures] };
}

function norm(name: string, width: number): Shapes {
  return { [`${name}.weight`]: [width], [`${name}.bias`]: [width] };
}

function merge(parts: readonly Shapes[]): Shapes {
  return Object.assign({}, ...parts) as Shapes;
}

function repeat(count: number, part: (index: number) => Shapes): Shapes {
  return merge(Array.from({ length: count }, (_, index) => part(index)));
}

/** LlamaModel without a head. */
export function llamaShapes(config: LlamaConfig): Shapes {
  const { hiddenSize: d, intermediateSize: f, numHeads, numKvHeads, headWidth } = config;
  const kv = numKvHeads * headWidth;
  return {
    'embed_tokens.weight': [config.vocabularySize, d],
    ...repeat(config.numLayers, (index) => ({
      [`layers.${index}.self_attn.q_proj.weight`]: [numHeads * headWidth, d],
      [`layers.${index}.self_attn.k_proj.weight`]: [kv, d],
      [`layers.${index}.self_attn.v_proj.weight`]: [kv, d],
      [`layers.${index}.self_attn.o_proj.weight`]: [d, numHeads * headWidth],
      [`layers.${index}.mlp.gate_proj.weight`]: [f, d],
      [`layers.${index}.mlp.up_proj.weight`]: [f, d],
      [`layers.${index}.mlp.down_proj.weight`]: [d, f],
      [`layers.${index}.input_layernorm.weight`]: [d],
      [`layers.${index}.post_attention_layernorm.weight`]: [d],
    })),
    'norm.weight': [d],
  };
}

function encoderLayers(count: number, at: string, { d, f }: { d: number; f: number }): Shapes {
  return repeat(count, (index) => {
    const layer = `${at}.${index}`;
    const projections = ['k_proj', 'v_proj', 'q_proj', 'out_proj'];
    return merge([
      ...projections.map((name) => linear(`${layer}.self_attn.${name}`, d, d)),
      norm(`${layer}.layer_norm1`, d),
      linear(`${layer}.mlp.fc1`, f, d),
      linear(`${layer}.mlp.fc2`, d, f),
      norm(`${layer}.layer_norm2`, d),
    ]);
  });
}

/** CLIPTextModel. */
export function clipShapes(config: ClipTextConfig): Shapes {
  const { hiddenSize: d, intermediateSize: f } = config;
  return {
    'text_model.embeddings.token_embedding.weight': [config.vocabularySize, d],
    'text_model.embeddings.position_embedding.weight': [config.maxPositions, d],
    ...encoderLayers(config.numLayers, 'text_model.encoder.layers', { d, f }),
    ...norm('text_model.final_layer_norm', d),
  };
}

/** SiglipVisionModel with its pooling head. */
export function siglipShapes(config: SiglipVisionConfig): Shapes {
  const { hiddenSize: d, intermediateSize: f, channels, patchSize: p } = config;
  return {
    'vision_model.embeddings.patch_embedding.weight': [d, channels, p, p],
    'vision_model.embeddings.patch_embedding.bias': [d],
    'vision_model.embeddings.position_embedding.weight': [Math.floor(config.imageSize / p) ** 2, d],
    ...encoderLayers(config.numLayers, 'vision_model.encoder.layers', { d, f }),
    ...norm('vision_model.post_layernorm', d),
    'vision_model.head.probe': [1, 1, d],
    'vision_model.head.attention.in_proj_weight': [3 * d, d],
    'vision_model.head.attention.in_proj_bias': [3 * d],
    ...linear('vision_model.head.attention.out_proj', d, d),
    ...norm('vision_model.head.layernorm', d),
    ...linear('vision_model.head.mlp.fc1', f, d),
    ...linear('vision_model.head.mlp.fc2', d, f),
  };
}

function conv(name: string, [out, input, kernel]: readonly [number, number, number]): Shapes {
  return {
    [`${name}.weight`]: [out, input, kernel, kernel, kernel],
    [`${name}.bias`]: [out],
  };
}

function resnet(name: string, input: number, output: number): Shapes {
  return {
    ...norm(`${name}.norm1`, input),
    ...conv(`${name}.conv1.conv`, [output, input, 3]),
    ...norm(`${name}.norm2`, output),
    ...conv(`${name}.conv2.conv`, [output, output, 3]),
    ...(input === output ? {} : conv(`${name}.conv_shortcut.conv`, [output, input, 1])),
  };
}

function midBlock(name: string, c: number): Shapes {
  return {
    ...resnet(`${name}.resnets.0`, c, c),
    ...norm(`${name}.attentions.0.group_norm`, c),
    ...merge(
      ['to_q', 'to_k', 'to_v', 'to_out.0'].map((q) => linear(`${name}.attentions.0.${q}`, c, c)),
    ),
    ...resnet(`${name}.resnets.1`, c, c),
  };
}

/** AutoencoderKLHunyuanVideo in the names of diffusers. */
export function vaeShapes(config: VaeConfig): Shapes {
  const { channels, latentChannels: z, blockChannels, layersPerBlock } = config;
  const [finest, , , coarsest] = blockChannels;
  const up = blockChannels.toReversed();
  return {
    ...conv('encoder.conv_in.conv', [finest, channels, 3]),
    ...repeat(4, (level) => {
      const [input, output] = [blockChannels[Math.max(level - 1, 0)]!, blockChannels[level]!];
      const at = `encoder.down_blocks.${level}`;
      return {
        ...repeat(layersPerBlock, (i) => resnet(`${at}.resnets.${i}`, i ? output : input, output)),
        ...(level < 3 ? conv(`${at}.downsamplers.0.conv.conv`, [output, output, 3]) : {}),
      };
    }),
    ...midBlock('encoder.mid_block', coarsest),
    ...norm('encoder.conv_norm_out', coarsest),
    ...conv('encoder.conv_out.conv', [2 * z, coarsest, 3]),
    ...conv('decoder.conv_in.conv', [coarsest, z, 3]),
    ...midBlock('decoder.mid_block', coarsest),
    ...repeat(4, (level) => {
      const [input, output] = [up[Math.max(level - 1, 0)]!, up[level]!];
      const at = `decoder.up_blocks.${level}`;
      return {
        ...repeat(layersPerBlock + 1, (i) =>
          resnet(`${at}.resnets.${i}`, i ? output : input, output),
        ),
        ...(level < 3 ? conv(`${at}.upsamplers.0.conv.conv`, [output, output, 3]) : {}),
      };
    }),
    ...norm('decoder.conv_norm_out', finest),
    ...conv('decoder.conv_out.conv', [channels, finest, 3]),
    ...conv('quant_conv', [2 * z, 2 * z, 1]),
    ...conv('post_quant_conv', [z, z, 1]),
  };
}
