import type { metadataText } from '../../../src/pipeline/metadata/video-metadata.ts';

/** What {@link metadataText} stores of a small run. */
export const FACTS: Parameters<typeof metadataText>[0] = {
  model: 'tiny',
  checkpoint: { 'vae/a.safetensors': 'a'.repeat(64) },
  image: null,
  loras: [],
  device: 'cpu',
  dtype: 'f32',
  width: 128,
  height: 96,
  fps: 30,
  numFrames: 37,
  crf: 16,
  prompt: 'A ring.',
  negativePrompt: '',
  mode: 'i2v',
  seconds: 1.2,
  steps: 2,
  seed: 3,
  guidance: 10,
  cfg: 1,
  guidanceRescale: 0,
  tiling: 'temporal',
  start: null,
  stepCache: { kind: 'tea', threshold: 0.15 },
};
