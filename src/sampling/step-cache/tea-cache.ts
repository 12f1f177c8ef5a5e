import { add, sub } from '../../ops/elementwise.ts';
import { absMean } from '../../ops/reduce.ts';
import { type FloatDType, isFloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { roundTo } from '../rounding.ts';
import { Remembered } from './remembered.ts';
import type { StepCache, StepCacheCall } from './step-cache.ts';

/** Fit of the output's change to the input's, for HunyuanVideo; from the constant up. */
const CHANGE_POLYNOMIAL = [0.0961237896, -3.149878, 67.5869174, -401.131952, 733.226126];

/** How {@link TeaCache} decides. */
export interface TeaCacheOptions {
  /** Calls in a run; the first and the last are always computed. */
  readonly numSteps: number;
  /** Estimated change that may pile up before blocks are computed again; 0.15 halves the work, 0 never skips. */
  readonly threshold: number;
}

/**
 * Skips the blocks while their input has hardly changed since they last ran, and adds the residual of that run.
 *
 * Holds two tensors of `[B, L, D]` until disposed. Distances are means in the dtype of the tensors, as upstream; the
 * difference itself is not rounded first, which upstream does.
 *
 * @see TeaCache, arXiv 2411.19108; upstream diffusers_helper/models/hunyuan_video_packed.py at 97fe5db
 */
export class TeaCache implements StepCache {
  private readonly numSteps: number;
  private readonly threshold: number;
  private readonly previous: Remembered = new Remembered();
  private readonly residual: Remembered = new Remembered();
  private stepIndex = 0;
  private pendingChange = 0;
  private skipped = 0;

  constructor(options: TeaCacheOptions) {
    this.numSteps = options.numSteps;
    this.threshold = options.threshold;
  }

  get numSkipped(): number {
    return this.skipped;
  }

  /** Change that has piled up since the blocks last ran. */
  get accumulatedChange(): number {
    return this.pendingChange;
  }

  run({ input, modulated, blocks }: StepCacheCall): Promise<Tensor> {
    return scope(async () => {
      const current = modulated();
      const mustCompute = await this.mustCompute(current);
      this.previous.value = current;
      this.stepIndex = (this.stepIndex + 1) % this.numSteps;
      if (!mustCompute && this.residual.value !== null) {
        this.skipped += 1;
        return add(input, this.residual.value);
      }
      const output = await blocks();
      this.residual.value = sub(output, input);
      return output;
    });
  }

  [Symbol.dispose](): void {
    this.previous.value = null;
    this.residual.value = null;
    this.stepIndex = 0;
    this.pendingChange = 0;
  }

  private async mustCompute(modulated: Tensor): Promise<boolean> {
    const isEdge = this.stepIndex === 0 || this.stepIndex === this.numSteps - 1;
    if (isEdge || this.previous.value === null) {
      this.pendingChange = 0;
      return true;
    }
    const change = await relativeDistance(modulated, this.previous.value);
    this.pendingChange += estimatedChange(change);
    if (this.pendingChange < this.threshold) return false;
    this.pendingChange = 0;
    return true;
  }
}

/** Change of the blocks' output that follows from a relative change of their input. */
export function estimatedChange(inputChange: number): number {
  return CHANGE_POLYNOMIAL.reduceRight((sum, coefficient) => sum * inputChange + coefficient, 0);
}

/** `mean |x - y| / mean |y|`, rounded to the dtype of x. */
export async function relativeDistance(x: Tensor, y: Tensor): Promise<number> {
  const [distance, size] = await Promise.all([
    absMean(x, { minus: y }).readFloat32(),
    absMean(y).readFloat32(),
  ]);
  const dtype: FloatDType = isFloatDType(x.dtype) ? x.dtype : 'f32';
  return roundTo(distance[0]! / size[0]!, dtype);
}
