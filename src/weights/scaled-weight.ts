import { FramePackError } from '../errors.ts';
import type { ScaleMode } from '../tensor/tensor.ts';
import type { TensorEntry } from './files/safetensors-header.ts';

const BLOCK = 64;

/** How scales of a stored shape apply, and the shape they are used with. */
export interface ScaleLayout {
  readonly mode: ScaleMode;
  readonly shape: readonly number[];
}

/**
 * Recognises the scales that fp8 checkpoints store beside a weight `[N, K]` as `scale_weight`: `[]` or `[1]` for the
 * tensor, `[N]` or `[N, 1]` for rows, `[N, K / 64, 1]` for blocks.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` for any other shape.
 */
export function scaleLayout(
  stored: readonly number[],
  weight: readonly number[],
  name: string,
): ScaleLayout {
  const [rows = 0, columns = 0] = weight;
  const numBlocks = columns / BLOCK;
  const [storedRows, storedBlocks, ...rest] =
    stored.length > 1 && stored.at(-1) === 1 ? stored.slice(0, -1) : stored;
  if (stored.length <= 1 && (storedRows ?? 1) === 1) return { mode: 'tensor', shape: [1] };
  if (storedRows === rows && storedBlocks === undefined) return { mode: 'channel', shape: [rows] };
  if (storedRows === rows && storedBlocks === numBlocks && rest.length === 0) {
    return { mode: 'block64', shape: [rows, numBlocks] };
  }
  const blocks = Number.isInteger(numBlocks) ? ` or [${rows}, ${numBlocks}, 1]` : '';
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: scale ${name} expected one value or [${rows}, 1]${blocks}, got [${stored.join(', ')}]`,
    { tensor: name, found: stored },
  );
}

/** Whether a tensor is stored in one of the 8-bit float types. */
export function isFp8(entry: TensorEntry | undefined): boolean {
  return entry?.storedType.startsWith('F8_') ?? false;
}

/** Whether a name is that of scales, in any spelling: scales nobody reads are never ignored. */
export function isScaleName(name: string): boolean {
  return /scale/i.test(name.slice(name.lastIndexOf('.') + 1));
}

/** The scales of one tensor, and what else is known to stand beside them. */
export interface FoundScales {
  readonly scale: string;
  /** Tensors that weights in fp8 with activations in a float type do not need. */
  readonly noted: readonly string[];
}

/**
 * Finds the scales of a tensor by the names that exporters give them: `scale_weight` (musubi-tuner, ComfyUI's
 * `scaled_fp8`) and `weight_scale` (ComfyUI's `comfy_quant`). Beside them may stand the scale of the activations, which
 * cancels where activations are not quantised.
 *
 * @returns null when there are none.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when there are two, or the tensor is not fp8.
 */
export function findScales(
  source: { has(name: string): boolean; entryOf(name: string): TensorEntry },
  tensor: string,
): FoundScales | null {
  const dot = tensor.lastIndexOf('.') + 1;
  const [module, own] = [tensor.slice(0, dot), tensor.slice(dot)];
  const present = (names: readonly string[]): string[] =>
    names.map((name) => `${module}${name}`).filter((name) => source.has(name));
  const [scale, other] = present([`scale_${own}`, `${own}_scale`]);
  if (scale === undefined) return null;
  if (other !== undefined)
    throw fault(`scale of ${tensor} expected once, got ${scale} and ${other}`, scale);
  const entry = source.entryOf(tensor);
  if (!isFp8(entry)) {
    throw fault(
      `scale ${scale} expected beside an fp8 tensor, got ${entry.storedType} ${tensor}`,
      scale,
    );
  }
  const isWeight = own === 'weight';
  return { scale, noted: isWeight ? present(['scale_input', 'input_scale', 'comfy_quant']) : [] };
}

/** @throws {@link FramePackError} `ERR_CHECKPOINT` for scales that are not finite. */
export function checkScales(values: Float32Array, name: string): void {
  const broken = values.find((value) => !Number.isFinite(value));
  if (broken !== undefined)
    throw fault(`scale ${name} expected finite numbers, got ${broken}`, name);
}

function fault(text: string, tensor: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${text}`, { tensor });
}
