import { Device } from '../../tensor/device.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';
import type { ModelFolder } from '../../weights/model-folder.ts';
import type { RunDevice } from '../events.ts';
import { type ChosenDevice, type ComputeKind, openChosenDevice } from '../inputs/device-choice.ts';
import { budgetOf } from '../planning/memory-budget.ts';
import type { LoadOptions } from '../request.ts';
import { Residency } from '../residency.ts';
import type { Tokenizers } from '../run-context.ts';
import { checkModel, type LeftOver } from './check-model.ts';
import { locateModel } from './locate/locate-model.ts';

/** A checkpoint and the device it runs on; disposing it closes the device. */
export interface OpenModel extends AsyncDisposable {
  readonly device: Device;
  readonly deviceFacts: RunDevice;
  /** What it was opened with. */
  readonly load: LoadOptions;
  /** Most bytes that tensors may take on the device: what was asked for, or what a GPU has free; null for no limit. */
  readonly budgetBytes: number | null;
  /** Dtype of the activations of the transformer. */
  readonly dtype: FloatDType;
  readonly folder: ModelFolder;
  readonly info: CheckpointInfo;
  readonly tokenizers: Tokenizers;
  /** Tensors that no network knows. */
  readonly leftOver: readonly LeftOver[];
  /** Holds the networks that stay. */
  readonly residency: Residency;
}

const DEFAULT_DTYPE: Readonly<Record<ComputeKind, FloatDType>> = { cpu: 'f32', cuda: 'bf16' };

/**
 * Opens and checks the checkpoint, then opens the device.
 *
 * @param options - checked.
 * @throws {@link FramePackError} `ERR_CHECKPOINT`, or what `Device.open` throws.
 */
export async function openModel(options: LoadOptions): Promise<OpenModel> {
  const { device: choice = 'auto', threads, budgetBytes } = options;
  return await openModelOn(options, () => {
    const chosen = openChosenDevice(choice, { threads, budgetBytes });
    return { ...chosen, kind: chosen.facts.kind === 'cuda' ? 'cuda' : 'cpu' };
  });
}

/**
 * As {@link openModel} on the `meta` device, for a rehearsal of a run on another.
 *
 * @param kind - the device that is rehearsed for; the one in the options is not read.
 */
export async function openModelOnMeta(options: LoadOptions, kind: ComputeKind): Promise<OpenModel> {
  return await openModelOn(options, () => {
    const device = Device.open('meta', { budgetBytes: options.budgetBytes });
    return { device, facts: { kind: 'meta', ordinal: null, name: 'meta' }, kind };
  });
}

/** @param open - opens the device, and says for which kind the dtype is chosen. */
async function openModelOn(
  options: LoadOptions,
  open: () => ChosenDevice & { readonly kind: ComputeKind },
): Promise<OpenModel> {
  const { model, parts, cacheFolder, variant = '', allowLinks = false } = options;
  const folder = await locateModel({ model, parts, cacheFolder, variant, allowLinks });
  const { tokenizers, leftOver } = await checkModel(folder);
  const { device, facts, kind } = open();
  return {
    device,
    deviceFacts: facts,
    load: options,
    budgetBytes: options.budgetBytes ?? budgetOf(device),
    dtype: options.dtype ?? DEFAULT_DTYPE[kind],
    folder,
    info: folder.info,
    tokenizers,
    leftOver,
    residency: new Residency(),
    [Symbol.asyncDispose]: () => device.close(),
  };
}
