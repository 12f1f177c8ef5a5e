import type { DitConfig } from '../../src/models/dit/config.ts';

/** Tokens of the two streams. */
export interface StreamLengths {
  readonly image: number;
  readonly text: number;
}

/** Multiplications and additions of linear layers and attention; the rest is below one percent. */
export function doubleBlockFlops(config: DitConfig, { image, text }: StreamLengths): number {
  const { width, mlpRatio } = config;
  const perToken = 2 * width * width * (4 + 2 * mlpRatio);
  const modulation = 2 * 2 * 6 * width * width;
  return perToken * (image + text) + modulation + attentionFlops(width, image + text);
}

/** As {@link doubleBlockFlops}. */
export function singleBlockFlops(config: DitConfig, { image, text }: StreamLengths): number {
  const { width, mlpRatio } = config;
  const perToken = 2 * width * width * (3 + mlpRatio + 1 + mlpRatio);
  const modulation = 2 * 3 * width * width;
  return perToken * (image + text) + modulation + attentionFlops(width, image + text);
}

/** All blocks of a network. */
export function blockFlops(config: DitConfig, lengths: StreamLengths): number {
  return (
    config.numDoubleBlocks * doubleBlockFlops(config, lengths) +
    config.numSingleBlocks * singleBlockFlops(config, lengths)
  );
}

// Scores and weighted values, both [L, L, D] over all heads.
function attentionFlops(width: number, tokens: number): number {
  return 4 * tokens * tokens * width;
}
