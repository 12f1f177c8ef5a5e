import { FramePackError } from '../../errors.ts';
import { contiguous } from '../../ops/copy.ts';
import { countNonFinite } from '../../ops/reduce.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { ModelPart } from '../../weights/model-folder.ts';
import type { Stage } from '../events.ts';

/** Where in a run values were made. */
export interface ValueOrigin {
  readonly stage: Exclude<Stage, 'load' | 'write'>;
  readonly network: ModelPart;
  /** Dtype of the run. */
  readonly dtype: FloatDType;
  readonly section?: number;
  readonly step?: number;
}

/**
 * Waits for values that are about to become a condition, latents or bytes, and refuses NaN and infinity in them.
 *
 * @throws {@link FramePackError} `ERR_NUMERIC` naming stage and network, and what to try.
 */
export async function assertFinite(values: Tensor, origin: ValueOrigin): Promise<void> {
  // Nothing is computed there; a run is rehearsed on it.
  if (values.device.kind === 'meta') return;
  const count = await scope(async () => {
    const flat = contiguous(values).reshape([-1]);
    return (await countNonFinite(flat, { axis: 0 }).readFloat32())[0]!;
  });
  if (count === 0) return;
  const { network, dtype } = origin;
  const advice =
    dtype === 'f32'
      ? `the weights in ${network}/ may be damaged: compare them with their source`
      : 'try dtype f32 (--dtype f32)';
  throw new FramePackError(
    'ERR_NUMERIC',
    `generate: ${placeOf(origin)}: ${network} expected to give finite values, got ${count} of ${values.size} NaN or ` +
      `infinite in ${dtype}; ${advice}`,
    { ...origin, count },
  );
}

function placeOf({ stage, section, step }: ValueOrigin): string {
  const parts: string[] = [stage];
  if (section !== undefined) parts.push(`section ${section}`);
  if (step !== undefined) parts.push(`step ${step}`);
  return parts.join(' ');
}
