import { join } from 'node:path';
import { officialShapes } from './official-shapes.ts';
import { behind, comfyScaledFp8, kijaiFp8, ldmNames, storedAs } from './public-layouts.ts';
import { type HeaderTensor, writeSparse } from './sparse-file.ts';

/** Names of the public files below ComfyUI's `models` folder. */
export const COMFY_FILES = {
  transformer: 'diffusion_models/FramePackI2V_HY_fp8_e4m3fn.safetensors',
  vae: 'vae/hunyuan_video_vae_bf16.safetensors',
  text_encoder: 'text_encoders/llava_llama3_fp8_scaled.safetensors',
  text_encoder_2: 'text_encoders/clip_l.safetensors',
  image_encoder: 'clip_vision/sigclip_vision_patch14_384.safetensors',
} as const;

/** Writes the released model as ComfyUI keeps it, sparse, and files of other models beside it. */
export function writeComfyFolder(folder: string): void {
  const shapes = officialShapes();
  const head: HeaderTensor = { name: 'lm_head.weight', dtype: 'F16', shape: [128_320, 4096] };
  const llama = comfyScaledFp8(behind('model.', storedAs('F16', shapes.text_encoder)));
  const write = (file: string, tensors: readonly HeaderTensor[]): void =>
    writeSparse(join(folder, file), tensors);
  write(COMFY_FILES.transformer, kijaiFp8(storedAs('BF16', shapes.transformer)));
  write(COMFY_FILES.vae, ldmNames(storedAs('BF16', shapes.vae)));
  write(COMFY_FILES.text_encoder, [...llama, head]);
  write(COMFY_FILES.text_encoder_2, storedAs('F16', shapes.text_encoder_2));
  write(COMFY_FILES.image_encoder, storedAs('F16', shapes.image_encoder));
  const other = (name: string, shape: readonly number[]): HeaderTensor[] => [
    { name, dtype: 'F16', shape },
  ];
  write('diffusion_models/wan/wan2.1.safetensors', other('patch_embedding.weight', [5120, 36]));
  write('vae/ae.safetensors', other('encoder.conv_in.weight', [128, 3, 3, 3]));
  write('text_encoders/t5xxl.safetensors', other('shared.weight', [32_128, 4096]));
  write('text_encoders/qwen.safetensors', other('model.embed_tokens.weight', [152_064, 3584]));
}
