import type { Shapes } from './network-shapes.ts';
import type { HeaderTensor, StoredName } from './sparse-file.ts';

/**
 * What public exporters make of a network's tensors: other types, scales beside fp8, other names. Facts from
 * musubi-tuner, ComfyUI and kijai's files.
 */

type Tensors = readonly HeaderTensor[];

/** Every tensor in one type. */
export function storedAs(dtype: StoredName, shapes: Shapes): Tensors {
  return Object.entries(shapes).map(([name, shape]) => ({ name, dtype, shape }));
}

/** The same tensors behind a prefix. */
export function behind(prefix: string, tensors: Tensors): Tensors {
  return tensors.map((tensor) => ({ ...tensor, name: `${prefix}${tensor.name}` }));
}

const KIJAI_KEEPS = ['norm', 'bias', 'time_in', 'vector_in', 'guidance_in', 'txt_in', 'img_in'];

/** Kijai's plain cast without scales: all but a few parameters, embedders included. */
export function kijaiFp8(tensors: Tensors, dtype: 'F8_E4M3' | 'F8_E5M2' = 'F8_E4M3'): Tensors {
  return tensors.map((tensor) =>
    KIJAI_KEEPS.some((part) => tensor.name.includes(part)) ? tensor : { ...tensor, dtype },
  );
}

/** The weights of the blocks that musubi-tuner and ComfyUI quantise. */
function isBlockMatrix({ name, shape }: HeaderTensor): boolean {
  return (
    shape.length === 2 &&
    /(^|\.)(single_)?(transformer_blocks|layers)\./.test(name) &&
    !name.includes('norm')
  );
}

/** fp8 block matrices, with what `beside` puts next to each. */
function scaled(
  tensors: Tensors,
  beside: (matrix: HeaderTensor, module: string) => Tensors,
  dtype: 'F8_E4M3' | 'F8_E5M2' = 'F8_E4M3',
): Tensors {
  return tensors.flatMap((tensor) =>
    isBlockMatrix(tensor)
      ? [{ ...tensor, dtype }, ...beside(tensor, tensor.name.replace(/weight$/, ''))]
      : [tensor],
  );
}

/** musubi-tuner's `scale_weight` in the model's type: one for the tensor, a row, or 64 columns of a row. */
export function musubiFp8(tensors: Tensors, mode: 'tensor' | 'channel' | 'block'): Tensors {
  return scaled(tensors, ({ shape, dtype }, module) => {
    const [rows = 0, columns = 0] = shape;
    const shapes = { tensor: [1], channel: [rows, 1], block: [rows, columns / 64, 1] };
    return [{ name: `${module}scale_weight`, dtype, shape: shapes[mode] }];
  });
}

/** ComfyUI's `scaled_fp8`: a marker, a scale for each matrix, and in some files one for its input. */
export function comfyScaledFp8(
  tensors: Tensors,
  dtype: 'F8_E4M3' | 'F8_E5M2' = 'F8_E4M3',
): Tensors {
  const scales = (_: HeaderTensor, module: string): Tensors => [
    { name: `${module}scale_weight`, dtype: 'F32', shape: [] },
    { name: `${module}scale_input`, dtype: 'F32', shape: [] },
  ];
  return [{ name: 'scaled_fp8', dtype, shape: [2] }, ...scaled(tensors, scales, dtype)];
}

/** ComfyUI's later form: `weight_scale` and a description in JSON beside every matrix. */
export function comfyQuantFp8(tensors: Tensors): Tensors {
  return scaled(tensors, (_, module) => [
    { name: `${module}weight_scale`, dtype: 'F32', shape: [] },
    { name: `${module}comfy_quant`, dtype: 'U8', shape: [27] },
  ]);
}

/** fp8 matrices with scales under a name of one's own. */
export function strangeScales(tensors: Tensors, name: string): Tensors {
  return scaled(tensors, (_, module) => [{ name: `${module}${name}`, dtype: 'F32', shape: [] }]);
}

/** The VAE in the names of the latent-diffusion code, attention as 1 x 1 x 1 convolutions. */
export function ldmNames(tensors: Tensors): Tensors {
  return tensors.map((tensor) => {
    const name = ldmName(tensor.name);
    const isAttention = /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(name);
    return { ...tensor, name, shape: isAttention ? [...tensor.shape, 1, 1, 1] : tensor.shape };
  });
}

function ldmName(name: string): string {
  const attention = { group_norm: 'norm', to_q: 'q', to_k: 'k', to_v: 'v', 'to_out.0': 'proj_out' };
  let text = name
    .replace(/down_blocks\.(\d)\.resnets/, 'down.$1.block')
    .replace(/down_blocks\.(\d)\.downsamplers\.0/, 'down.$1.downsample')
    .replace(/up_blocks\.(\d)\.resnets/, (_, level: string) => `up.${3 - Number(level)}.block`)
    .replace(
      /up_blocks\.(\d)\.upsamplers\.0/,
      (_, level: string) => `up.${3 - Number(level)}.upsample`,
    )
    .replace('mid_block.resnets.0', 'mid.block_1')
    .replace('mid_block.resnets.1', 'mid.block_2')
    .replace('conv_norm_out', 'norm_out')
    .replace('conv_shortcut', 'nin_shortcut');
  for (const [from, to] of Object.entries(attention)) {
    text = text.replace(`mid_block.attentions.0.${from}`, `mid.attn_1.${to}`);
  }
  return text;
}
