import { add, sub } from '../../ops/elementwise.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MagSchedule, type MagScheduleOptions } from './mag-schedule.ts';
import { Remembered } from './remembered.ts';
import type { StepCache, StepCacheCall } from './step-cache.ts';

/**
 * Skips the steps that {@link MagScheduleOptions} choose and adds the residual of the last computed one. Holds one tensor of
 * `[B, L, D]` until disposed.
 */
export class MagCache implements StepCache {
  private readonly options: MagScheduleOptions;
  private readonly residual: Remembered = new Remembered();
  private schedule: MagSchedule;
  private stepIndex = 0;
  private skipped = 0;

  constructor(options: MagScheduleOptions) {
    this.options = options;
    this.schedule = new MagSchedule(options);
  }

  get numSkipped(): number {
    return this.skipped;
  }

  run({ input, blocks }: StepCacheCall): Promise<Tensor> {
    return scope(async () => {
      if (this.stepIndex === this.options.numSteps) this.restart();
      const skips = this.schedule.skips(this.stepIndex++);
      if (skips && this.residual.value !== null) {
        this.skipped += 1;
        return add(input, this.residual.value);
      }
      const output = await blocks();
      this.residual.value = sub(output, input);
      return output;
    });
  }

  [Symbol.dispose](): void {
    this.residual.value = null;
    this.restart();
  }

  private restart(): void {
    this.schedule = new MagSchedule(this.options);
    this.stepIndex = 0;
  }
}
