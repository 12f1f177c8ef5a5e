/**
 * The networks of FramePack, each usable alone.
 *
 * @module framepack-node/models
 */
export { ClipText } from '../models/clip/clip-text.ts';
export { type ClipTextConfig, parseClipTextConfig } from '../models/clip/config.ts';
export type { BlockConditions, Streams } from '../models/dit/blocks.ts';
export { type DitConfig, parseDitConfig } from '../models/dit/config.ts';
export { Dit, type DitEmbedding, type DitInputs, type DitTap } from '../models/dit/dit.ts';
export type { BlockModulation } from '../models/dit/modulation.ts';
export type { ContextFrames, FrameGroup, PackedFrames } from '../models/dit/packed-context.ts';
export { type LlamaConfig, parseLlamaConfig } from '../models/llama/config.ts';
export { Llama, type LlamaOptions, type LlamaTap } from '../models/llama/llama.ts';
export { parseSiglipVisionConfig, type SiglipVisionConfig } from '../models/siglip/config.ts';
export { SiglipVision } from '../models/siglip/siglip-vision.ts';
export { parseVaeConfig, type VaeConfig } from '../models/vae/config.ts';
export type { VaeDecoderOptions } from '../models/vae/decoder.ts';
export type { VaeTap } from '../models/vae/mid-block.ts';
export { FULL_TILING, TEMPORAL_TILING, type VaeTiling } from '../models/vae/tiling.ts';
export {
  type LatentPosterior,
  VaeImageEncoder,
  type VaeRunOptions,
  VaeVideoDecoder,
} from '../models/vae/vae.ts';
export { locateModel, type ModelSource } from '../pipeline/model/locate/locate-model.ts';
export { ClipTokenizer } from '../tokenizers/clip-tokenizer.ts';
export {
  type EncodedPrompt,
  encodePrompt,
  type PromptLayout,
  type PromptTokenizer,
} from '../tokenizers/encode-prompt.ts';
export { LlamaTokenizer } from '../tokenizers/llama-tokenizer.ts';
export type {
  CheckpointInfo,
  CheckpointMode,
  PreviewMatrix,
  Rgb,
} from '../weights/checkpoint-info.ts';
export type { CheckpointFileOptions } from '../weights/files/checkpoint-files.ts';
export {
  ModelFolder,
  type ModelLayout,
  type ModelPart,
  type PartPaths,
} from '../weights/model-folder.ts';
