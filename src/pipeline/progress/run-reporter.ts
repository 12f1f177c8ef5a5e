import type { Device } from '../../tensor/device.ts';
import type { GenerateEvent, MemoryReading, Preview, Stage } from '../events.ts';
import { EtaClock, type WorkPlan } from './eta-clock.ts';

/** What the reporter cannot know about a finished step. */
export interface StepFacts {
  readonly section: number;
  readonly stepIndex: number;
  readonly sigma: number;
  readonly isCached: boolean;
  readonly preview: Preview | undefined;
}

/** Turns the progress of a run into events with times, memory and an estimate. */
export class RunReporter {
  private readonly device: Device;
  private readonly emit: (event: GenerateEvent) => void;
  private readonly startedAt: number;
  private readonly plan: WorkPlan;
  private readonly clock: EtaClock;
  private lastMark: number;

  constructor(device: Device, plan: WorkPlan, emit: (event: GenerateEvent) => void) {
    this.device = device;
    this.plan = plan;
    this.emit = emit;
    this.clock = new EtaClock(plan);
    this.startedAt = performance.now();
    this.lastMark = this.startedAt;
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  get memory(): MemoryReading {
    const { currentBytes, peakBytes } = this.device.memory();
    return { currentBytes, peakBytes };
  }

  stage(stage: Stage, section?: number): void {
    this.mark();
    const place = section === undefined ? {} : { section };
    this.emit({ type: 'stage', stage, elapsedMs: this.elapsedMs, ...place });
  }

  step(facts: StepFacts): void {
    this.clock.addStep(this.mark());
    const { preview, stepIndex, ...place } = facts;
    this.emit({
      type: 'step',
      ...place,
      numSections: this.plan.numSections,
      step: stepIndex + 1,
      numSteps: this.plan.numSteps,
      elapsedMs: this.elapsedMs,
      etaMs: this.clock.remainingMs(),
      memory: this.memory,
      ...(preview && { preview }),
    });
  }

  section(section: number, numFrames: number): void {
    this.clock.addDecode(this.mark());
    const { numSections } = this.plan;
    this.emit({ type: 'section', section, numSections, numFrames, elapsedMs: this.elapsedMs });
  }

  /** Milliseconds since the last mark. */
  private mark(): number {
    const now = performance.now();
    const elapsed = now - this.lastMark;
    this.lastMark = now;
    return elapsed;
  }
}
