import type { Device } from '../../tensor/device.ts';
import type { ModelPart } from '../../weights/model-folder.ts';
import type {
  GenerateEvent,
  MemoryEstimate,
  MemoryPlan,
  MemoryReading,
  Moment,
  PlanEvent,
  RunStageEvent,
  SectionEvent,
  SectionStageEvent,
  StepEvent,
  WarningCode,
} from '../events.ts';
import type { LoraReport } from '../inputs/loras.ts';
import { WorkClock } from './work-clock.ts';

/** What the reporter cannot know about a finished step. */
export type StepFacts = Pick<StepEvent, 'section' | 'sigma' | 'isCached' | 'preview'> & {
  readonly stepIndex: number;
};

/** What the reporter cannot know about an event: all of it but the type and the time. */
type Facts<E> = Omit<E, 'type' | keyof Moment>;

/** What is known of a run before its memory is planned. */
export type PlanFacts = Omit<Facts<PlanEvent>, 'estimate' | 'memory'>;

/** A video is written in so many pieces, as far as its events go. */
const NUM_WRITE_EVENTS = 20;

/** Turns the progress of a run into events with times, memory and an estimate. */
export class RunReporter {
  private readonly device: Device;
  private readonly emit: (event: GenerateEvent) => void;
  private readonly startedAt: number;
  private readonly facts: PlanFacts;
  private clock: WorkClock;
  /** What was done before a run began anew. */
  private shownPercent = 0;
  private readonly warned: Set<string> = new Set();
  private lastMark: number;
  private isBetweenSections = false;
  private numFramesToWrite = 0;
  private early: (() => void)[] | null = [];

  constructor(device: Device, plan: PlanFacts, emit: (event: GenerateEvent) => void) {
    this.device = device;
    this.facts = plan;
    this.emit = emit;
    this.clock = new WorkClock(plan);
    this.startedAt = performance.now();
    this.lastMark = this.startedAt;
  }

  /** Says what is going to be made; comes before everything else, warnings that are known already too. */
  plan(estimate: MemoryEstimate, memory: MemoryPlan): void {
    this.emit({ type: 'plan', ...this.facts, estimate, memory, ...this.moment() });
    for (const warn of this.early ?? []) warn();
    this.early = null;
  }

  /** Says something once, however often it is found. */
  warn(code: WarningCode, message: string): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    const warn = (): void => this.emit({ type: 'warning', code, message, ...this.moment() });
    if (this.early === null) warn();
    else this.early.push(warn);
  }

  lora(report: LoraReport): void {
    this.emit({ type: 'lora', ...report, ...this.moment() });
  }

  load(part: ModelPart): void {
    this.emit({ type: 'stage', stage: 'load', part, ...this.moment() });
  }

  stage(stage: RunStageEvent['stage']): void {
    this.emit({ type: 'stage', stage, ...this.moment() });
  }

  sectionStage(stage: SectionStageEvent['stage'], section: number): void {
    if (stage === 'sample') {
      const elapsed = this.mark();
      this.clock.encoded();
      if (this.isBetweenSections) this.clock.add('load', elapsed);
    }
    const { numSections } = this.facts;
    this.emit({ type: 'stage', stage, section, numSections, ...this.moment() });
  }

  /** Notes that a section need not be sampled. */
  resumeSection(): void {
    this.mark();
    this.clock.encoded();
    this.clock.skipSteps(this.facts.numSteps);
  }

  step(facts: StepFacts): void {
    this.clock.add('step', this.mark());
    const { stepIndex, ...known } = facts;
    const { numSections, numSteps } = this.facts;
    this.emit({
      type: 'step',
      ...known,
      numSections,
      step: stepIndex + 1,
      numSteps,
      memory: this.memory(),
      ...this.moment(),
    });
  }

  /** @param isDecoded - whether its frames were made, and not found. */
  section(facts: Omit<Facts<SectionEvent>, 'numSections'>, isDecoded: boolean): void {
    const elapsed = this.mark();
    if (isDecoded) this.clock.add('decode', elapsed);
    else this.clock.skipDecode();
    this.isBetweenSections = true;
    const { numSections } = this.facts;
    this.emit({ type: 'section', ...facts, numSections, ...this.moment() });
  }

  /** Says that the video is being written. */
  startWriting(numFrames: number): void {
    this.mark();
    this.numFramesToWrite = numFrames;
    this.stage('write');
  }

  /** Notes frames that were written, and says so now and then. */
  wrote(numWritten: number): void {
    const numFrames = this.numFramesToWrite;
    if (numWritten === 0 || numWritten % Math.ceil(numFrames / NUM_WRITE_EVENTS) !== 0) return;
    this.clock.wrote(numWritten / numFrames, this.mark());
    this.emit({ type: 'write', numWritten, numFrames, ...this.moment() });
  }

  /** Whether a section was reported, with frames that somebody may have taken. */
  get hasSections(): boolean {
    return this.isBetweenSections;
  }

  /** Notes that the run begins anew. */
  restart(): void {
    this.shownPercent = this.clock.percent;
    this.clock = new WorkClock(this.facts);
    this.mark();
  }

  done(file: string | null): void {
    this.clock.finish();
    const { numFrames, width, height, fps, seed } = this.facts;
    const { peakBytes } = this.memory();
    const size = { numFrames, width, height, fps };
    this.emit({ type: 'done', file, ...size, seed, peakBytes, ...this.moment() });
  }

  private memory(): MemoryReading {
    const { currentBytes, peakBytes } = this.device.memory();
    return { currentBytes, peakBytes };
  }

  private moment(): Moment {
    const elapsedMs = performance.now() - this.startedAt;
    const percent = Math.max(this.shownPercent, this.clock.percent);
    return { elapsedMs, percent, etaMs: this.clock.remainingMs };
  }

  /** Milliseconds since the last mark. */
  private mark(): number {
    const now = performance.now();
    const elapsed = now - this.lastMark;
    this.lastMark = now;
    return elapsed;
  }
}
