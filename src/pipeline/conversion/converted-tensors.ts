import { FramePackError } from '../../errors.ts';
import { cast, quantizeFp8 } from '../../ops/copy.ts';
import { sum } from '../../ops/reduce.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LocatedTensor } from '../../weights/files/checkpoint-files.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { ConversionStep } from './conversion-plan.ts';

/** Bytes by the name of their tensor. */
export type TensorBytes = readonly (readonly [name: string, data: Uint8Array])[];

/**
 * Makes what one step of a conversion writes. All that it takes on the device is freed.
 *
 * @param weights - of the transformer, with what changes them.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when a file has changed or numbers are not finite.
 */
export async function tensorsOfStep(
  step: ConversionStep,
  located: ReadonlyMap<string, LocatedTensor>,
  weights: WeightScope,
): Promise<TensorBytes> {
  const { name, shape } = step.output;
  if (step.action === 'copy') {
    const { entry, file } = located.get(step.source.name)!;
    return [[name, file.readBytes(entry)]];
  }
  return scope(async () => {
    if (step.action === 'cast') {
      const tensor = weights.takeAs(name, shape, step.dtype);
      await refuseNonFinite(name, tensor);
      return [[name, await bytesOf(tensor)]];
    }
    const tensor = weights.takeAs(name, shape, step.from);
    await refuseNonFinite(name, tensor);
    const { data, scale } = quantizeFp8(tensor, step.mode);
    const stored = cast(scale, step.scaleType);
    return [
      [name, await bytesOf(data)],
      [step.scale.name, await bytesOf(stored)],
    ];
  });
}

/** A sum shows one number that is not finite; quantised it would be a zero, or make zeros of its neighbours. */
async function refuseNonFinite(name: string, tensor: Tensor<FloatDType>): Promise<void> {
  const [total = 0] = await sum(tensor, { outDtype: 'f32' }).read();
  if (Number.isFinite(total)) return;
  const text = `tensor ${name} expected finite numbers in ${tensor.dtype}, got infinity or no number`;
  throw new FramePackError('ERR_CHECKPOINT', `convert: ${text}`, { tensor: name });
}

async function bytesOf(tensor: Tensor): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await tensor.read();
  return new Uint8Array(buffer, byteOffset, byteLength);
}
