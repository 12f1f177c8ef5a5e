/**
 * How LoRA files name their tensors, as data: what stands in front of a module, what stands behind it, and what the
 * modules of the original HunyuanVideo code are called here.
 *
 * @see kohya-ss/musubi-tuner `networks/lora.py`, huggingface/peft `utils/save_and_load.py`, ComfyUI `comfy/lora.py`,
 * KohakuBlueleaf/LyCORIS, diffusers `lora_conversion_utils.py`.
 */

/** What trainers put in front of a module's name; several may follow each other. */
export const MODULE_PREFIXES: readonly string[] = [
  'base_model.model.',
  'model.',
  'diffusion_model.',
  'transformer.',
  'lora_unet_',
  'lora_transformer_',
  'lycoris_',
];

/** What a tensor of a LoRA is for. */
export type LoraRole =
  | 'down'
  | 'up'
  | 'alpha'
  | 'diff'
  | 'diff_b'
  | 'hada_w1_a'
  | 'hada_w1_b'
  | 'hada_w2_a'
  | 'hada_w2_b'
  | 'lokr_w1'
  | 'lokr_w1_a'
  | 'lokr_w1_b'
  | 'lokr_w2'
  | 'lokr_w2_a'
  | 'lokr_w2_b';

/** What stands behind a module's name, and the role it gives the tensor. */
export const ROLE_SUFFIXES: readonly (readonly [suffix: string, role: LoraRole])[] = [
  ['.lora_down.weight', 'down'],
  ['.lora_up.weight', 'up'],
  ['.lora_A.weight', 'down'],
  ['.lora_B.weight', 'up'],
  ['.lora_A.default.weight', 'down'],
  ['.lora_B.default.weight', 'up'],
  ['.lora.down.weight', 'down'],
  ['.lora.up.weight', 'up'],
  ['.alpha', 'alpha'],
  ['.diff', 'diff'],
  ['.diff_b', 'diff_b'],
  ['.hada_w1_a', 'hada_w1_a'],
  ['.hada_w1_b', 'hada_w1_b'],
  ['.hada_w2_a', 'hada_w2_a'],
  ['.hada_w2_b', 'hada_w2_b'],
  ['.lokr_w1', 'lokr_w1'],
  ['.lokr_w1_a', 'lokr_w1_a'],
  ['.lokr_w1_b', 'lokr_w1_b'],
  ['.lokr_w2', 'lokr_w2'],
  ['.lokr_w2_a', 'lokr_w2_a'],
  ['.lokr_w2_b', 'lokr_w2_b'],
];

const DORA = 'DoRA, which rescales the rows of the merged weight';
const TUCKER = 'a Tucker decomposition of a convolution';

/** Tensors that change what the others mean: a file that holds one is refused, not merged in part. */
export const REFUSED_SUFFIXES: readonly (readonly [suffix: string, what: string])[] = [
  ['.dora_scale', DORA],
  ['.lora_magnitude_vector', DORA],
  ['.lora_magnitude_vector.weight', DORA],
  ['.lora_magnitude_vector.default.weight', DORA],
  ['.lora_mid.weight', TUCKER],
  ['.hada_t1', TUCKER],
  ['.hada_t2', TUCKER],
  ['.lokr_t2', TUCKER],
  ['.lora_B.bias', 'a bias of the LoRA itself (PEFT lora_bias)'],
  ['.set_weight', 'a whole weight in place of a change'],
  ['.reshape_weight', 'a weight of another shape'],
];

/** A module of another exporter and the modules here that hold its rows, in this order; `N` counts blocks. */
export interface ModuleAlias {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Whether the two halves of its rows lie the other way round here. */
  readonly swapsHalves?: boolean;
}

const QKV = ['to_q', 'to_k', 'to_v'] as const;
const ADDED_QKV = ['add_q_proj', 'add_k_proj', 'add_v_proj'] as const;

const below = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => `${prefix}.${name}`);

/** One stream of a double block, in the names of the original code and of ComfyUI. */
function stream(
  kind: 'img' | 'txt',
  [qkv, out, normQ, normK]: readonly [readonly string[], string, string, string],
  [mlp, modulation]: readonly [string, string],
): ModuleAlias[] {
  const from = (...names: string[]): string[] => below('double_blocks.N', names);
  const to = (...names: string[]): string[] => below('transformer_blocks.N', names);
  return [
    { from: from(`${kind}_attn_qkv`, `${kind}_attn.qkv`), to: to(...below('attn', qkv)) },
    { from: from(`${kind}_attn_proj`, `${kind}_attn.proj`), to: to(`attn.${out}`) },
    { from: from(`${kind}_attn_q_norm`, `${kind}_attn.norm.query_norm`), to: to(`attn.${normQ}`) },
    { from: from(`${kind}_attn_k_norm`, `${kind}_attn.norm.key_norm`), to: to(`attn.${normK}`) },
    { from: from(`${kind}_mlp.fc1`, `${kind}_mlp.0`), to: to(`${mlp}.net.0.proj`) },
    { from: from(`${kind}_mlp.fc2`, `${kind}_mlp.2`), to: to(`${mlp}.net.2`) },
    { from: from(`${kind}_mod.linear`, `${kind}_mod.lin`), to: to(`${modulation}.linear`) },
  ];
}

/** The two layers of an embedder of a number or a vector. */
function embedder(from: string, to: string): ModuleAlias[] {
  const names = [
    ['mlp.0', 'in_layer', 'linear_1'],
    ['mlp.2', 'out_layer', 'linear_2'],
  ];
  return names.map((layer, index) => ({
    from: below(from, layer),
    to: [`${to}.linear_${index + 1}`],
  }));
}

const REFINER_FROM = 'txt_in.individual_token_refiner.blocks.N';
const REFINER_TO = 'context_embedder.token_refiner.refiner_blocks.N';

/** The transformer's modules in the original HunyuanVideo code and in ComfyUI. */
export const ORIGINAL_MODULES: readonly ModuleAlias[] = [
  ...stream('img', [QKV, 'to_out.0', 'norm_q', 'norm_k'], ['ff', 'norm1']),
  ...stream(
    'txt',
    [ADDED_QKV, 'to_add_out', 'norm_added_q', 'norm_added_k'],
    ['ff_context', 'norm1_context'],
  ),
  {
    from: ['single_blocks.N.linear1'],
    to: below('single_transformer_blocks.N', [...below('attn', QKV), 'proj_mlp']),
  },
  { from: ['single_blocks.N.linear2'], to: ['single_transformer_blocks.N.proj_out'] },
  {
    from: below('single_blocks.N.modulation', ['linear', 'lin']),
    to: ['single_transformer_blocks.N.norm.linear'],
  },
  {
    from: below('single_blocks.N', ['q_norm', 'norm.query_norm']),
    to: ['single_transformer_blocks.N.attn.norm_q'],
  },
  {
    from: below('single_blocks.N', ['k_norm', 'norm.key_norm']),
    to: ['single_transformer_blocks.N.attn.norm_k'],
  },
  { from: ['img_in.proj'], to: ['x_embedder.proj'] },
  ...embedder('time_in', 'time_text_embed.timestep_embedder'),
  ...embedder('guidance_in', 'time_text_embed.guidance_embedder'),
  ...embedder('vector_in', 'time_text_embed.text_embedder'),
  { from: ['txt_in.input_embedder'], to: ['context_embedder.proj_in'] },
  ...embedder('txt_in.t_embedder', 'context_embedder.time_text_embed.timestep_embedder'),
  ...embedder('txt_in.c_embedder', 'context_embedder.time_text_embed.text_embedder'),
  {
    from: below(REFINER_FROM, ['self_attn_qkv', 'self_attn.qkv']),
    to: below(`${REFINER_TO}.attn`, QKV),
  },
  {
    from: below(REFINER_FROM, ['self_attn_proj', 'self_attn.proj']),
    to: [`${REFINER_TO}.attn.to_out.0`],
  },
  { from: below(REFINER_FROM, ['mlp.fc1', 'mlp.0']), to: [`${REFINER_TO}.ff.net.0.proj`] },
  { from: below(REFINER_FROM, ['mlp.fc2', 'mlp.2']), to: [`${REFINER_TO}.ff.net.2`] },
  { from: [`${REFINER_FROM}.adaLN_modulation.1`], to: [`${REFINER_TO}.norm_out.linear`] },
  { from: [`${REFINER_FROM}.norm1`], to: [`${REFINER_TO}.norm1`] },
  { from: [`${REFINER_FROM}.norm2`], to: [`${REFINER_TO}.norm2`] },
  { from: ['final_layer.linear'], to: ['proj_out'] },
  // Shift and scale there, scale and shift here.
  { from: ['final_layer.adaLN_modulation.1'], to: ['norm_out.linear'], swapsHalves: true },
];
