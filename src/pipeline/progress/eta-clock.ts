/** Work of a run in units of its own kind: sampler steps, then decodes, one a section. */
export interface WorkPlan {
  readonly numSections: number;
  readonly numSteps: number;
}

/**
 * Estimates what remains of a run from the mean time of the steps and the mean time of the decodes so far. A first
 * decode that has not happened yet is not guessed: the estimate then covers the steps only.
 */
export class EtaClock {
  private readonly plan: WorkPlan;
  private readonly steps: Mean = new Mean();
  private readonly decodes: Mean = new Mean();

  constructor(plan: WorkPlan) {
    this.plan = plan;
  }

  addStep(elapsedMs: number): void {
    this.steps.add(elapsedMs);
  }

  addDecode(elapsedMs: number): void {
    this.decodes.add(elapsedMs);
  }

  /** Milliseconds that remain, or null before the first step. */
  remainingMs(): number | null {
    if (this.steps.count === 0) return null;
    const { numSections, numSteps } = this.plan;
    const stepsLeft = numSections * numSteps - this.steps.count;
    const decodesLeft = numSections - this.decodes.count;
    return stepsLeft * this.steps.value + decodesLeft * this.decodes.value;
  }
}

class Mean {
  count = 0;
  private sum = 0;

  get value(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  add(value: number): void {
    this.count += 1;
    this.sum += value;
  }
}
