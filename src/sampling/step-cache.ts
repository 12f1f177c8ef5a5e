import { add, sub } from '../ops/elementwise.ts';
import { absMean } from '../ops/reduce.ts';
import { type FloatDType, isFloatDType } from '../tensor/dtype.ts';
import { keep, scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { roundTo } from './rounding.ts';

/** Fit of the output's change to the input's, for HunyuanVideo; from the constant up. */
const CHANGE_POLYNOMIAL = [0.0961237896, -3.149878, 67.5869174, -401.131952, 733.226126];

/** How a cache decides. */
export interface StepCacheOptions {
  /** Calls in a run; the first and the last are always computed. */
  readonly numSteps: number;
  /** Estimated change that may pile up before blocks are computed again; 0.15 halves the work, 0 never skips. */
  readonly threshold: number;
}

/** What one call needs. */
export interface StepCacheCall {
  /** `[B, L, D]` first modulated input of the blocks, image tokens: what the change is measured on. */
  readonly modulated: Tensor;
  /** `[B, L, D]` input of the blocks. */
  readonly input: Tensor;
  /** Runs the blocks: `[B, L, D]`. */
  readonly compute: () => Tensor | Promise<Tensor>;
}

/**
 * Skips the transformer blocks of a step when their input has hardly changed since they last ran, and adds the
 * residual of that run instead (TeaCache).
 *
 * Sits outside the model. One instance follows one sequence of calls: make a new one for every section, and one for
 * each branch of classifier-free guidance, whose inputs differ. Holds two tensors of `[B, L, D]` until disposed.
 *
 * Distances are means in the dtype of the tensors, as upstream; the difference itself is not rounded first, which
 * upstream does.
 *
 * @see TeaCache, arXiv 2411.19108; upstream diffusers_helper/models/hunyuan_video_packed.py at 97fe5db
 */
export class StepCache implements Disposable {
  private readonly numSteps: number;
  private readonly threshold: number;
  private stepIndex = 0;
  private pendingChange = 0;
  private previous: Tensor | null = null;
  private residual: Tensor | null = null;
  private skipped = 0;

  constructor(options: StepCacheOptions) {
    this.numSteps = options.numSteps;
    this.threshold = options.threshold;
  }

  /** Calls so far that did not run the blocks. */
  get numSkipped(): number {
    return this.skipped;
  }

  /**
   * Output of the blocks, computed or estimated.
   *
   * @returns `[B, L, D]`, owned by the current scope.
   */
  run(call: StepCacheCall): Promise<Tensor> {
    return scope(async () => {
      const { modulated, input, compute } = call;
      const mustCompute = await this.mustCompute(modulated);
      this.previous?.dispose();
      this.previous = keep(modulated.retain());
      this.stepIndex = (this.stepIndex + 1) % this.numSteps;
      if (!mustCompute && this.residual !== null) {
        this.skipped += 1;
        return add(input, this.residual);
      }
      const output = await compute();
      this.residual?.dispose();
      this.residual = keep(sub(output, input));
      return output;
    });
  }

  /** Frees what is remembered; the next call is computed. */
  dispose(): void {
    this.previous?.dispose();
    this.residual?.dispose();
    this.previous = null;
    this.residual = null;
    this.stepIndex = 0;
    this.pendingChange = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private async mustCompute(modulated: Tensor): Promise<boolean> {
    const isEdge = this.stepIndex === 0 || this.stepIndex === this.numSteps - 1;
    if (isEdge || this.previous === null) {
      this.pendingChange = 0;
      return true;
    }
    this.pendingChange += estimatedChange(await relativeDistance(modulated, this.previous));
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
async function relativeDistance(x: Tensor, y: Tensor): Promise<number> {
  const [distance, size] = await Promise.all([
    absMean(x, { minus: y }).readFloat32(),
    absMean(y).readFloat32(),
  ]);
  const dtype: FloatDType = isFloatDType(x.dtype) ? x.dtype : 'f32';
  return roundTo(distance[0]! / size[0]!, dtype);
}
