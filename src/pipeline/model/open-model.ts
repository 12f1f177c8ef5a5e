import { Device, type DeviceKind } from '../../tensor/device.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';
import { ModelFolder } from '../../weights/model-folder.ts';
import type { LoadOptions } from '../request.ts';
import { Residency } from '../residency.ts';
import type { Tokenizers } from '../run-context.ts';
import { checkModel, type LeftOver } from './check-model.ts';

/** A checkpoint and the device it runs on; disposing it closes the device. */
export interface OpenModel extends AsyncDisposable {
  readonly device: Device;
  /** Most bytes that tensors may take on the device; null for no limit. */
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

const DEFAULT_DTYPE: Readonly<Record<'cpu' | 'cuda', FloatDType>> = { cpu: 'f32', cuda: 'bf16' };

/**
 * Opens and checks the checkpoint, then opens the device.
 *
 * @param options - checked.
 * @param openedKind - the device to open where it is not that of the options, as for a rehearsal.
 * @throws {@link FramePackError} `ERR_CHECKPOINT`, or what `Device.open` throws.
 */
export async function openModel(
  options: LoadOptions,
  openedKind: DeviceKind = options.device ?? 'cpu',
): Promise<OpenModel> {
  const { device: kind = 'cpu', threads, budgetBytes } = options;
  const { variant = '', allowLinks = false } = options;
  const folder = await ModelFolder.open(options.model, { variant, allowLinks });
  const { tokenizers, leftOver } = await checkModel(folder);
  const device = Device.open(openedKind, { threads, budgetBytes });
  return {
    device,
    budgetBytes: budgetBytes ?? null,
    dtype: options.dtype ?? DEFAULT_DTYPE[kind],
    folder,
    info: folder.info,
    tokenizers,
    leftOver,
    residency: new Residency(budgetBytes ?? null),
    [Symbol.asyncDispose]: () => device.close(),
  };
}
