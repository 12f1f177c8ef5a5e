/** Sampler steps and decodes of a run. */
export interface WorkPlan {
  readonly numSections: number;
  readonly numSteps: number;
}

/** What a run does over and over; a `load` is what happens between two sections. */
export type WorkKind = 'step' | 'decode' | 'load';

// Work in units of one sampler step: rough shares, so that a bar moves evenly. Estimates use them only until the
// work was measured.
const ENCODE_UNITS = 2;
const DECODE_UNITS = 2;
const WRITE_UNITS = 0.25;

/**
 * Measures a run: the share of the work that is done, against a total that never changes, and an estimate of the time
 * that remains. What was measured is extrapolated by its mean; decodes and the writing of a section count by their
 * share of a step until they were.
 */
export class WorkClock {
  private readonly plan: WorkPlan;
  private readonly total: number;
  private readonly times: Readonly<Record<WorkKind, Mean>> = {
    step: new Mean(),
    decode: new Mean(),
    load: new Mean(),
  };
  private numSkippedSteps = 0;
  private numSkippedDecodes = 0;
  private isEncoded = false;
  private writtenShare = 0;
  private writeMs = 0;
  private isDone = false;

  constructor(plan: WorkPlan) {
    this.plan = plan;
    const { numSections, numSteps } = plan;
    this.total = ENCODE_UNITS + numSections * (numSteps + DECODE_UNITS + WRITE_UNITS);
  }

  /** Notes that the conditions are encoded. */
  encoded(): void {
    this.isEncoded = true;
  }

  /** Notes a finished piece of work and how long it took. */
  add(kind: WorkKind, elapsedMs: number): void {
    this.times[kind].add(elapsedMs);
  }

  /** Notes steps that need not be done. */
  skipSteps(numSteps: number): void {
    this.numSkippedSteps += numSteps;
  }

  /**
   * Notes how much of the video is written.
   *
   * @param share - below 1: of its frames.
   * @param elapsedMs - since the last call, or since writing began.
   */
  wrote(share: number, elapsedMs: number): void {
    this.writtenShare = share;
    this.writeMs += elapsedMs;
  }

  /** Notes a decode that need not be done. */
  skipDecode(): void {
    this.numSkippedDecodes += 1;
  }

  /** Notes that nothing remains. */
  finish(): void {
    this.isDone = true;
  }

  /** 0 to 100; 100 only once finished. */
  get percent(): number {
    if (this.isDone) return 100;
    const encoded = this.isEncoded ? ENCODE_UNITS : 0;
    const decoded = this.numDecodesDone * DECODE_UNITS;
    const written = this.writtenShare * this.plan.numSections * WRITE_UNITS;
    return (100 * (encoded + this.numStepsDone + decoded + written)) / this.total;
  }

  /** Milliseconds that remain, or null before the first step. */
  get remainingMs(): number | null {
    if (this.isDone) return 0;
    const { step, decode, load } = this.times;
    if (step.count === 0) return null;
    const { numSections, numSteps } = this.plan;
    const decodesLeft = numSections - this.numDecodesDone;
    const decodeMs = decode.count === 0 ? DECODE_UNITS * step.value : decode.value;
    const stepsMs = (numSections * numSteps - this.numStepsDone) * step.value;
    const loadsLeft = numSections - Math.ceil(this.numStepsDone / numSteps);
    return stepsMs + decodesLeft * decodeMs + loadsLeft * load.value + this.remainingWriteMs;
  }

  private get remainingWriteMs(): number {
    const share = this.writtenShare;
    if (share > 0) return (this.writeMs / share) * (1 - share);
    return this.plan.numSections * WRITE_UNITS * this.times.step.value;
  }

  private get numDecodesDone(): number {
    return this.times.decode.count + this.numSkippedDecodes;
  }

  private get numStepsDone(): number {
    return this.times.step.count + this.numSkippedSteps;
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
