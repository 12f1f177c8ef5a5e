import { add, sub } from '../../ops/elementwise.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Remembered } from './remembered.ts';
import type { StepCache, StepCacheCall } from './step-cache.ts';
import { relativeDistance } from './tea-cache.ts';

/**
 * Runs the first block of every step, and the others only when what it adds has changed by more than a threshold since
 * they last ran; else adds what the others added then. Holds two tensors of `[B, L, D]` until disposed.
 *
 * @see diffusers 58eb52c `hooks/first_block_cache.py`; ParaAttention, where the method comes from
 */
export class FirstBlockCache implements StepCache {
  private readonly threshold: number;
  private readonly firstResidual: Remembered = new Remembered();
  private readonly restResidual: Remembered = new Remembered();
  private skipped = 0;

  /** @param options.threshold - relative change; 0 skips only what has not changed at all. */
  constructor(options: { readonly threshold: number }) {
    this.threshold = options.threshold;
  }

  get numSkipped(): number {
    return this.skipped;
  }

  run({ input, firstBlock }: StepCacheCall): Promise<Tensor> {
    return scope(async () => {
      const first = firstBlock();
      const residual = sub(first.output, input);
      const known = this.firstResidual.value;
      if (known !== null && (await relativeDistance(residual, known)) <= this.threshold) {
        this.skipped += 1;
        return add(first.output, this.restResidual.value!);
      }
      const output = await first.rest();
      this.firstResidual.value = residual;
      this.restResidual.value = sub(output, first.output);
      return output;
    });
  }

  [Symbol.dispose](): void {
    this.firstResidual.value = null;
    this.restResidual.value = null;
  }
}
