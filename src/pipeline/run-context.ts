import { ZodError } from 'zod';
import { FramePackError } from '../errors.ts';
import type { Pace } from '../nn/block-chain.ts';
import type { StepCache } from '../sampling/step-cache/step-cache.ts';
import type { Device } from '../tensor/device.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ClipTokenizer } from '../tokenizers/clip-tokenizer.ts';
import type { LlamaTokenizer } from '../tokenizers/llama-tokenizer.ts';
import type { Checkpoint } from '../weights/checkpoint.ts';
import type { CheckpointInfo } from '../weights/checkpoint-info.ts';
import { configFault } from '../weights/config-fields.ts';
import type { ModelFolder, ModelPart } from '../weights/model-folder.ts';
import type { RunLoras } from './inputs/loras.ts';
import type { RunReporter } from './progress/run-reporter.ts';
import type { Placements, Residency } from './residency.ts';

/** Sees named intermediate values of a run, under the names of the end-to-end goldens. Not part of the public API. */
export interface RunObserver {
  ids(name: string, ids: readonly number[]): void;
  tensor(name: string, value: Tensor): void;
  frames(value: Tensor<'f32'>, growsAt: 'front' | 'back'): void;
  /** A step cache to use in place of the one that was asked for. */
  stepCache?(sectionIndex: number, branch: 'positive' | 'negative'): StepCache;
  /** Weights that are about to be taken; what was taken shows later. */
  weights?(checkpoint: Checkpoint): void;
  /** They were taken, where other things come before the next event. */
  loaded?(): void;
}

/** The tokenizers of both text encoders. */
export interface Tokenizers {
  readonly llama: LlamaTokenizer;
  readonly clip: ClipTokenizer;
}

/** What every stage of a run needs. */
export interface RunContext {
  readonly device: Device;
  /** Most bytes that tensors may take on the device: what was asked for, or what a GPU has free; null for no limit. */
  readonly budgetBytes: number | null;
  /** Dtype of the activations of the transformer; see {@link ownDType} for the other networks. */
  readonly dtype: FloatDType;
  readonly folder: ModelFolder;
  readonly info: CheckpointInfo;
  readonly tokenizers: Tokenizers;
  /** LoRAs of the transformer. */
  readonly loras: RunLoras;
  readonly signal: AbortSignal | undefined;
  readonly pace: Pace;
  /** Holds the networks that stay on the device. */
  readonly residency: Residency;
  /** Which they are, and which pass through. */
  readonly placements: Placements;
  readonly reporter: RunReporter;
  readonly observer: RunObserver | undefined;
}

/** Throws `ERR_ABORTED` once the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new FramePackError(
    'ERR_ABORTED',
    'generate: aborted by the signal of the request',
    {},
    signal.reason,
  );
}

/**
 * A pace that lets one block be in flight: work is enqueued faster than it runs, and without waiting an abort would
 * only take effect behind everything that is queued.
 */
export function oneBlockAhead(device: Device, signal: AbortSignal | undefined): Pace {
  let previous: Promise<void> = Promise.resolve();
  return async () => {
    throwIfAborted(signal);
    await previous;
    throwIfAborted(signal);
    previous = device.fence();
    // Whoever waits next sees the failure; it must not be unhandled until then.
    previous.catch(() => {});
  };
}

/**
 * The validated `config.json` of a network.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the file and the field.
 */
export function networkConfig<C>(
  context: Pick<RunContext, 'folder'>,
  part: ModelPart,
  parse: (json: unknown) => C,
): C {
  const json = context.folder.readConfig(part);
  try {
    return parse(json);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    throw configFault(`${part}/config.json`, json, error);
  }
}

/** The weights of a network on the device of the run; says that they are being loaded. */
export async function networkWeights(context: RunContext, part: ModelPart): Promise<Checkpoint> {
  context.reporter.load(part);
  const checkpoint = await context.folder.openWeights(context.device, part);
  context.observer?.weights?.(checkpoint);
  return checkpoint;
}

/**
 * The dtype in which an encoder or the VAE computes. A run in 16 bits leaves each the 16-bit type of its weights; those in
 * other types are cast to f16. The reference (`demo_gradio.py`) runs all of them in f16 and the transformer in bf16.
 */
export function ownDType(context: RunContext, weights: Checkpoint): FloatDType {
  if (context.dtype === 'f32') return 'f32';
  const stored = new Set(weights.entries().map((entry) => entry.dtype));
  const halves = (['f16', 'bf16'] as const).filter((dtype) => stored.has(dtype));
  return halves.length === 1 ? halves[0]! : 'f16';
}
