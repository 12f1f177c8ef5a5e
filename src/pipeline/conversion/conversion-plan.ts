import { isGgmlType } from '../../ops/ggml.ts';
import { type FloatDType, isFloatDType } from '../../tensor/dtype.ts';
import type { ScaleMode } from '../../tensor/tensor.ts';
import type { TensorEntry } from '../../weights/files/safetensors-header.ts';
import { type StoredTensor, storedTypeOf } from '../../weights/files/safetensors-writer.ts';
import type { NetworkLayout } from '../../weights/lora/lora-modules.ts';
import { FP8_MARKERS } from '../../weights/network-names.ts';
import { findScales, isFp8, isScaleName, scaleLayout } from '../../weights/scaled-weight.ts';

const BLOCK_WIDTH = 64;

/** What is wanted of a conversion. */
export interface ConversionChoice {
  /** What one scale of a matrix of the blocks covers, or null to quantise nothing more than is. */
  readonly fp8: ScaleMode | null;
  /** Type of all other tensors, or null for the one that each has. */
  readonly dtype: FloatDType | null;
}

/** How one tensor of the result is made. */
export type ConversionStep = CopyStep | CastStep | QuantizeStep;

/** Bytes as they are. */
export interface CopyStep {
  readonly action: 'copy';
  readonly source: TensorEntry;
  readonly output: StoredTensor;
}

/** Numbers in a float type; the name is that of the network. */
export interface CastStep {
  readonly action: 'cast';
  readonly dtype: FloatDType;
  readonly output: StoredTensor;
}

/** An fp8 matrix, and its scales beside it. */
export interface QuantizeStep {
  readonly action: 'quantize';
  /** Type from which it is rounded. */
  readonly from: FloatDType;
  readonly mode: ScaleMode;
  readonly output: StoredTensor;
  readonly scale: StoredTensor;
  readonly scaleType: FloatDType;
}

/** What becomes of every tensor of a transformer. */
export interface ConversionPlan {
  /** In the order of the source. */
  readonly steps: readonly ConversionStep[];
  /** Matrices that are rounded to fp8. */
  readonly numQuantized: number;
  /** Tensors that are fp8 already and stay as they are. */
  readonly numKept: number;
  /** Names in the source of all that was looked at. */
  readonly used: ReadonlySet<string>;
}

/** A network by headers, which keeps account of what is known of it. */
interface PlannedNetwork extends NetworkLayout {
  readonly wideType: 'f16' | 'bf16';
  note(name: string): void;
}

/**
 * Plans a conversion by headers alone. Quantised are the matrices that musubi-tuner quantises: those of the blocks but
 * for modulation, in its names: `scale_weight` beside `weight`, of shape `[1]`, `[N, 1]` or `[N, K / 64, 1]`.
 * A matrix of another width than a multiple of 64 gets a scale for each row in place of blocks. Scales have the type of the
 * other tensors, but f32 where that is f16, whose range ends above them.
 *
 * @param changed - names that a LoRA changes. An fp8 matrix among them is quantised anew, as it was.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` for scales that fit no tensor.
 * @see musubi-tuner, `fp8_optimization_utils.py`; `FP8_OPTIMIZATION_TARGET_KEYS` of its FramePack model
 */
export function planConversion(
  network: PlannedNetwork,
  changed: { changes(name: string): boolean },
  choice: ConversionChoice,
): ConversionPlan {
  const steps: ConversionStep[] = [];
  const used = new Set<string>();
  const take = (name: string): TensorEntry => {
    network.note(name);
    const entry = network.entryOf(name);
    used.add(entry.name);
    return entry;
  };
  const tensors = tensorsOf(network);
  for (const { name, scale } of tensors) {
    const source = {
      ...{ name, entry: take(name), isChanged: changed.changes(name) },
      scale: scale === null ? null : take(scale),
    };
    steps.push(...stepsOf(source, choice, network.wideType));
  }
  const numQuantized = steps.filter(({ action }) => action === 'quantize').length;
  const numKept = steps.filter((step) => step.action === 'copy' && isFp8(step.source)).length;
  return { steps, numQuantized, numKept, used };
}

/**
 * Tensors with the names of their scales. What only describes scales is left out, and so are scales that nobody knows: of
 * these the network's own account complains.
 */
function tensorsOf(network: PlannedNetwork): { name: string; scale: string | null }[] {
  const beside = new Set<string>();
  const found = network.names().map((name) => {
    const scales = findScales(network, name);
    for (const other of scales === null ? [] : [scales.scale, ...scales.noted]) beside.add(other);
    for (const other of scales?.noted ?? []) network.note(other);
    return { name, scale: scales?.scale ?? null };
  });
  const isOwn = (name: string): boolean =>
    !(beside.has(name) || FP8_MARKERS.test(name) || isScaleName(name));
  return found.filter(({ name }) => isOwn(name));
}

interface Source {
  readonly name: string;
  readonly entry: TensorEntry;
  readonly scale: TensorEntry | null;
  readonly isChanged: boolean;
}

function stepsOf(
  source: Source,
  choice: ConversionChoice,
  wideType: 'f16' | 'bf16',
): ConversionStep[] {
  const { name, entry, isChanged } = source;
  const { dtype } = choice;
  const own = plainTypeOf(entry);
  const mode = isBlockMatrix(name, entry) ? modeOf(source, choice) : null;
  if (mode !== null) {
    const stays = isNarrow(entry) && !isChanged;
    return stays ? kept(source) : [quantized(source, mode, dtype ?? own ?? wideType)];
  }
  const isWidened = isFp8(entry) || isGgmlType(entry.storedType);
  if (own === null && !isWidened) return kept(source);
  // Safetensors files have no blocks of ggml.
  const isStorable = !isGgmlType(entry.storedType);
  const isCopy = isStorable && !isChanged && (dtype === null || own === dtype);
  return isCopy ? kept(source) : [casted(name, entry, dtype ?? own ?? wideType)];
}

/** How a matrix of the blocks is scaled in the result; null when it is not fp8 there. */
function modeOf({ entry, scale }: Source, { fp8, dtype }: ConversionChoice): ScaleMode | null {
  if (fp8 !== null || dtype !== null || !isNarrow(entry)) return fp8;
  return scale === null ? 'tensor' : scaleLayout(scale.shape, entry.shape, scale.name).mode;
}

function isNarrow({ storedType }: TensorEntry): boolean {
  return storedType === storedTypeOf('f8e4m3');
}

/** Whether musubi-tuner quantises a tensor of the transformer. */
function isBlockMatrix(name: string, { shape }: TensorEntry): boolean {
  const isNamed = /transformer_blocks.*\.weight$/.test(name) && !name.includes('norm');
  return isNamed && shape.length === 2;
}

/** The float type of a tensor; null for integers, and for fp8 and blocks of ggml, which are widened to another. */
function plainTypeOf(entry: TensorEntry): FloatDType | null {
  const { dtype } = entry;
  return dtype !== null && isFloatDType(dtype) && !isFp8(entry) ? dtype : null;
}

function kept({ name, entry, scale }: Source): CopyStep[] {
  const { storedType, shape } = entry;
  const data: CopyStep = { action: 'copy', source: entry, output: { name, storedType, shape } };
  if (scale === null) return [data];
  const beside = { name: scaleNameOf(name), storedType: scale.storedType, shape: scale.shape };
  return [data, { action: 'copy', source: scale, output: beside }];
}

function casted(name: string, { shape }: TensorEntry, dtype: FloatDType): CastStep {
  return { action: 'cast', dtype, output: { name, storedType: storedTypeOf(dtype), shape } };
}

function quantized(source: Source, wanted: ScaleMode, wideType: FloatDType): QuantizeStep {
  const { name, entry, isChanged } = source;
  const [rows = 0, columns = 0] = entry.shape;
  const mode = wanted === 'block64' && columns % BLOCK_WIDTH !== 0 ? 'channel' : wanted;
  const shapes = { tensor: [1], channel: [rows, 1], block64: [rows, columns / BLOCK_WIDTH, 1] };
  const scaleType = wideType === 'f16' ? 'f32' : wideType;
  return {
    action: 'quantize',
    from: isChanged ? 'f32' : (plainTypeOf(entry) ?? 'f32'),
    mode,
    output: { name, storedType: storedTypeOf('f8e4m3'), shape: entry.shape },
    scale: { name: scaleNameOf(name), storedType: storedTypeOf(scaleType), shape: shapes[mode] },
    scaleType,
  };
}

/** `a.weight` to `a.scale_weight`. */
function scaleNameOf(name: string): string {
  return name.replace(/([^.]*)$/, 'scale_$1');
}
