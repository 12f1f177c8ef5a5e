import type { DitConfig } from '../../../src/models/dit/config.ts';

type Shapes = Record<string, readonly number[]>;

/**
 * Names and shapes of a packed DiT checkpoint, written down from the published list and not from the code under
 * test.
 */
export function ditShapes(config: DitConfig): Shapes {
  return { ...embedders(config), ...blocks(config) };
}

function linear(name: string, outFeatures: number, inFeatures: number): Shapes {
  return { [`${name}.weight`]: [outFeatures, inFeatures], [`${name}.bias`]: [outFeatures] };
}

function mlp(name: string, layers: readonly [string, string], sizes: readonly number[]): Shapes {
  const [input, hidden, output] = sizes as [number, number, number];
  return {
    ...linear(`${name}.${layers[0]}`, hidden, input),
    ...linear(`${name}.${layers[1]}`, output, hidden),
  };
}

function embedders(config: DitConfig): Shapes {
  const { width: d, inChannels: c } = config;
  const conv = (name: string, k: number): Shapes => ({
    [`${name}.weight`]: [d, c, k, 2 * k, 2 * k],
    [`${name}.bias`]: [d],
  });
  const embedder = (name: string, input: number): Shapes =>
    mlp(name, ['linear_1', 'linear_2'], [input, d, d]);
  return {
    ...conv('x_embedder.proj', 1),
    ...conv('clean_x_embedder.proj', 1),
    ...conv('clean_x_embedder.proj_2x', 2),
    ...conv('clean_x_embedder.proj_4x', 4),
    ...embedder('time_text_embed.timestep_embedder', 256),
    ...embedder('time_text_embed.guidance_embedder', 256),
    ...embedder('time_text_embed.text_embedder', config.pooledWidth),
    ...linear('context_embedder.proj_in', d, config.textWidth),
    ...embedder('context_embedder.time_text_embed.timestep_embedder', 256),
    ...embedder('context_embedder.time_text_embed.text_embedder', config.textWidth),
    ...mlp('image_projection', ['up', 'down'], [config.imageWidth, 3 * d, d]),
    ...linear('norm_out.linear', 2 * d, d),
    ...linear('proj_out', 4 * config.outChannels, d),
  };
}

function blocks(config: DitConfig): Shapes {
  const { width: d, headWidth } = config;
  const shapes: Shapes = {};
  const square = (name: string): Shapes => linear(name, d, d);
  const feedForward = (name: string): Shapes => mlp(name, ['net.0.proj', 'net.2'], [d, 4 * d, d]);
  for (let i = 0; i < config.numRefinerBlocks; i++) {
    const at = `context_embedder.token_refiner.refiner_blocks.${i}`;
    for (const norm of ['norm1', 'norm2']) {
      Object.assign(shapes, { [`${at}.${norm}.weight`]: [d], [`${at}.${norm}.bias`]: [d] });
    }
    for (const name of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
      Object.assign(shapes, square(`${at}.attn.${name}`));
    }
    Object.assign(shapes, feedForward(`${at}.ff`), linear(`${at}.norm_out.linear`, 2 * d, d));
  }
  for (let i = 0; i < config.numDoubleBlocks; i++) {
    const at = `transformer_blocks.${i}`;
    const projections = ['to_q', 'to_k', 'to_v', 'to_out.0'];
    const added = ['add_q_proj', 'add_k_proj', 'add_v_proj', 'to_add_out'];
    for (const name of [...projections, ...added])
      Object.assign(shapes, square(`${at}.attn.${name}`));
    for (const name of ['norm_q', 'norm_k', 'norm_added_q', 'norm_added_k']) {
      shapes[`${at}.attn.${name}.weight`] = [headWidth];
    }
    Object.assign(
      shapes,
      linear(`${at}.norm1.linear`, 6 * d, d),
      linear(`${at}.norm1_context.linear`, 6 * d, d),
      feedForward(`${at}.ff`),
      feedForward(`${at}.ff_context`),
    );
  }
  for (let i = 0; i < config.numSingleBlocks; i++) {
    const at = `single_transformer_blocks.${i}`;
    for (const name of ['to_q', 'to_k', 'to_v'])
      Object.assign(shapes, square(`${at}.attn.${name}`));
    shapes[`${at}.attn.norm_q.weight`] = [headWidth];
    shapes[`${at}.attn.norm_k.weight`] = [headWidth];
    Object.assign(
      shapes,
      linear(`${at}.norm.linear`, 3 * d, d),
      linear(`${at}.proj_mlp`, 4 * d, d),
      linear(`${at}.proj_out`, d, 5 * d),
    );
  }
  return shapes;
}
