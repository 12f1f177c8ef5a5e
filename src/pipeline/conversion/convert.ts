import { existsSync, realpathSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { freeBytesOf } from '../../hub/cache/free-space.ts';
import { TransferRate } from '../../hub/download/transfer-rate.ts';
import { OutputFile, writeError } from '../../media/output-file.ts';
import { Device } from '../../tensor/device.ts';
import { Checkpoint } from '../../weights/checkpoint.ts';
import { type LocatedTensor, openCheckpointFiles } from '../../weights/files/checkpoint-files.ts';
import { writeAt } from '../../weights/files/replace-file.ts';
import { type FileLayout, layOutFile } from '../../weights/files/safetensors-writer.ts';
import { LoraEdits } from '../../weights/lora/lora-edits.ts';
import { DIT_NAMES } from '../../weights/network-names.ts';
import { NetworkTensors } from '../../weights/network-tensors.ts';
import { WeightScope } from '../../weights/weight-scope.ts';
import { matchLoras } from '../inputs/loras.ts';
import { conversionMetadata } from './conversion-metadata.ts';
import { type ConversionPlan, planConversion } from './conversion-plan.ts';
import {
  type Conversion,
  type ConvertEvent,
  type ConvertOptions,
  checkConversion,
} from './convert-options.ts';
import { tensorsOfStep } from './converted-tensors.ts';

/**
 * Rewrites the weights of a transformer as one safetensors file: in fp8, in another type, with LoRAs merged.
 *
 * Quantised are the matrices that musubi-tuner quantises, in its names and with its numbers; all other tensors keep
 * their type unless `dtype` says another. LoRAs are merged in f32 before anything is rounded. What is fp8 already stays as
 * it is, and what a LoRA changes of it is rounded again.
 *
 * One tensor is in memory at a time. The file appears under its name when it is complete and on the disk, and its
 * metadata says what was done.
 *
 * @param source - a safetensors or GGUF file, a folder of shards, their index, or a model folder with `transformer/`.
 * @param target - the file to write, `*.safetensors`.
 * @throws {@link FramePackError} `ERR_ARGUMENT`; `ERR_CHECKPOINT` when the source is damaged, no transformer or not
 *   finite, or a LoRA does not fit; `ERR_OUTPUT` when the name is taken or the disk too full, before anything is
 *   written; `ERR_ABORTED`. Nothing is left behind.
 * @example
 * await convert('models/tiny-framepack', 'tiny-fp8.safetensors', { fp8: 'block64' });
 */
export async function convert(
  source: string,
  target: string,
  options: ConvertOptions,
): Promise<Conversion> {
  checkConversion(source, target, options);
  const { signal } = options;
  try {
    signal?.throwIfAborted();
    return await run(source, target, options);
  } catch (error) {
    if (!signal?.aborted) throw error;
    const message = 'convert: aborted; nothing is left behind';
    throw new FramePackError('ERR_ABORTED', message, {}, signal.reason);
  }
}

/** A conversion that can begin. */
interface Job {
  readonly plan: ConversionPlan;
  readonly located: ReadonlyMap<string, LocatedTensor>;
  readonly weights: WeightScope;
  readonly layout: FileLayout;
}

async function run(source: string, target: string, options: ConvertOptions): Promise<Conversion> {
  const { fp8 = null, dtype = null, overwrite, onEvent, signal } = options;
  await using device = Device.open('cpu');
  const weightsPath = transformerIn(source);
  const located = openCheckpointFiles(weightsPath);
  refuseItself(target, located);
  const checkpoint = await Checkpoint.open(device, weightsPath);
  const network = new NetworkTensors(checkpoint, '', DIT_NAMES);
  const { reports, loras } = await matchLoras(network, options.loras ?? [], signal);
  const edits = await LoraEdits.open(device, loras);
  const plan = planConversion(network, edits, { fp8, dtype });
  network.leftOver();
  const leftOut = checkpoint.names().filter((name) => !plan.used.has(name));
  const outputs = plan.steps.flatMap((step) =>
    step.action === 'quantize' ? [step.output, step.scale] : [step.output],
  );
  const metadata = conversionMetadata(located, { fp8, dtype, loras: reports });
  const layout = layOutFile(outputs, metadata);
  const weights = new WeightScope(network, '', edits);
  const result = {
    ...{ file: path.resolve(target), bytes: layout.byteLength, leftOut, loras: reports },
    ...{ numQuantized: plan.numQuantized, numKept: plan.numKept },
  };
  const output = await OutputFile.reserveFile(target, overwrite);
  try {
    const sourceBytes = bytesOf(located);
    const freeBytes = await roomFor(layout.byteLength, path.dirname(output.path));
    onEvent?.({ type: 'plan', source: weightsPath, sourceBytes, freeBytes, ...result });
    await writeFile(output.temporaryPath, { plan, located, weights, layout }, options);
    await output.publish();
  } catch (error) {
    await output.discard();
    throw writeError(output.path, error);
  }
  return result;
}

async function writeFile(file: string, job: Job, options: ConvertOptions): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await writeTensors(handle, job, options);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeTensors(
  handle: FileHandle,
  { plan, located, weights, layout }: Job,
  { onEvent, signal }: Pick<ConvertOptions, 'onEvent' | 'signal'>,
): Promise<void> {
  const rate = new TransferRate();
  const totalBytes = layout.byteLength;
  let bytes = layout.header.length;
  await writeAt(handle, layout.header, 0);
  for (const step of plan.steps) {
    signal?.throwIfAborted();
    let written = 0;
    for (const [name, data] of await tensorsOfStep(step, located, weights)) {
      await writeAt(handle, data, layout.offsets.get(name)!);
      written += data.length;
    }
    bytes += written;
    if (rate.add(written)) onEvent?.(progress(step.output.name, bytes, totalBytes, rate));
  }
}

function progress(
  tensor: string,
  bytes: number,
  totalBytes: number,
  { bytesPerSecond }: TransferRate,
): ConvertEvent {
  const etaMs = bytesPerSecond ? Math.round(((totalBytes - bytes) / bytesPerSecond) * 1000) : null;
  return { type: 'progress', tensor, bytes, totalBytes, bytesPerSecond, etaMs };
}

/** The weights that a source means: of a model folder those of its transformer. */
function transformerIn(source: string): string {
  const folder = path.join(source, 'transformer');
  return existsSync(folder) && statSync(folder).isDirectory() ? folder : source;
}

function refuseItself(target: string, located: ReadonlyMap<string, LocatedTensor>): void {
  if (!existsSync(target)) return;
  const taken = realpathSync(target);
  for (const { file } of located.values()) {
    if (realpathSync(file.path) !== taken) continue;
    const message = `convert: target expected another file than the source, got ${target}`;
    throw new FramePackError('ERR_ARGUMENT', message, { target });
  }
}

function bytesOf(located: ReadonlyMap<string, LocatedTensor>): number {
  return [...located.values()].reduce((sum, { entry }) => sum + entry.byteLength, 0);
}

async function roomFor(neededBytes: number, folder: string): Promise<number> {
  const freeBytes = await freeBytesOf(folder);
  if (neededBytes <= freeBytes) return freeBytes;
  throw new FramePackError(
    'ERR_OUTPUT',
    `convert: ${folder} expected ${neededBytes} bytes of free space, got ${freeBytes}; make room or choose a file on another disk`,
    { neededBytes, freeBytes },
  );
}
