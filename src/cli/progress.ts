import { SingleBar } from 'cli-progress';
import type {
  DoneEvent,
  GenerateEvent,
  LoraEvent,
  PlanEvent,
  RunDevice,
  SectionEvent,
  StageEvent,
  StepEvent,
  WarningEvent,
  WriteEvent,
} from '../index.ts';

import { memoryLine } from './memory-line.ts';

/** Shows a run to the user. */
export interface Reporter {
  event(event: GenerateEvent): void;
  /** Leaves the terminal clean, also after a failure. */
  stop(): void;
}

/** One JSON object a line on stdout; pictures are left out. */
export class JsonReporter implements Reporter {
  event(event: GenerateEvent): void {
    console.log(JSON.stringify(event, asJson));
  }

  stop(): void {}
}

/** Only what must not be missed: warnings on stderr, the path of the result on stdout. */
export class QuietReporter implements Reporter {
  event(event: GenerateEvent): void {
    if (event.type === 'warning') console.error(`warning: ${event.message}`);
    if (event.type === 'done' && event.file !== null) console.log(event.file);
  }

  stop(): void {}
}

const PICTURES: ReadonlySet<string> = new Set(['frames', 'preview']);

function asJson(key: string, value: unknown): unknown {
  if (PICTURES.has(key)) return undefined;
  return typeof value === 'bigint' ? String(value) : value;
}

const FORMAT =
  '{bar} section {section}/{sections} step {step}/{steps} | eta {eta_text} | peak {peak}{note}';

/** A progress bar on a terminal; elsewhere a line for every quarter of a section. */
export class TerminalReporter implements Reporter {
  private readonly bar: SingleBar;
  private isStarted = false;

  constructor() {
    this.bar = new SingleBar({
      format: FORMAT,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      noTTYOutput: false,
      stream: process.stderr,
    });
  }

  event(event: GenerateEvent): void {
    switch (event.type) {
      case 'plan':
        this.plan(event);
        break;
      case 'lora':
        this.lora(event);
        break;
      case 'warning':
        this.warning(event);
        break;
      case 'stage':
        this.stage(event);
        break;
      case 'step':
        this.step(event);
        break;
      case 'section':
        this.section(event);
        break;
      case 'write':
        this.write(event);
        break;
      case 'done':
        this.done(event);
        break;
    }
  }

  stop(): void {
    if (this.isStarted) this.bar.stop();
    this.isStarted = false;
  }

  private plan(event: PlanEvent): void {
    const { width, height, numFrames, numSections, numSteps, seed } = event;
    console.error(deviceLine(event.device));
    const work = `${numSections} ${numSections === 1 ? 'section' : 'sections'} of ${numSteps} steps`;
    const length = `${numFrames} frames (${event.seconds.toFixed(1)} s)`;
    console.error(`${width} x ${height}, ${length}, ${work}, mode ${event.mode}, seed ${seed}`);
    if (event.memory.budgetBytes !== null) console.error(memoryLine(event.estimate, event.memory));
  }

  private lora({ file, scale, numMatched, unmatched }: LoraEvent): void {
    const missed = unmatched.length === 0 ? '' : `, ${unmatched.length} not`;
    console.error(`lora ${file} at ${scale}: ${numMatched} tensors matched${missed}`);
  }

  private warning({ message }: WarningEvent): void {
    this.stop();
    console.error(`warning: ${message}`);
  }

  private stage(event: StageEvent): void {
    const { stage } = event;
    const name = stage === 'load' ? `load ${event.part}` : stage;
    if (this.isStarted) {
      this.bar.update({ note: ` | ${name}` });
      return;
    }
    if (stage !== 'sample' && stage !== 'decode') {
      console.error(`${seconds(event.elapsedMs)} ${name}`);
    }
  }

  private step(event: StepEvent): void {
    const { section, numSections, step, numSteps, etaMs, memory } = event;
    const values = {
      section: section + 1,
      sections: numSections,
      step,
      steps: numSteps,
      eta_text: etaMs === null ? '?' : seconds(etaMs).trim(),
      peak: mebibytes(memory.peakBytes),
      note: event.isCached ? ' | cached' : '',
    };
    if (!process.stderr.isTTY) {
      if (step % Math.ceil(numSteps / 4) !== 0 && step !== numSteps) return;
      const place = `section ${values.section}/${numSections} step ${step}/${numSteps}`;
      const note = `eta ${values.eta_text} | peak ${values.peak}${values.note}`;
      console.error(`${seconds(event.elapsedMs)} ${place} | ${note}`);
      return;
    }
    if (!this.isStarted) this.bar.start(100, event.percent, values);
    else this.bar.update(event.percent, values);
    this.isStarted = true;
  }

  private section({ section, numSections, numFrames, elapsedMs, percent }: SectionEvent): void {
    if (process.stderr.isTTY) {
      if (this.isStarted) this.bar.update(percent);
      return;
    }
    const place = `section ${section + 1}/${numSections}`;
    console.error(`${seconds(elapsedMs)} ${place}, ${numFrames} frames`);
  }

  private write({ numWritten, numFrames, percent, etaMs }: WriteEvent): void {
    if (!this.isStarted) return;
    const eta_text = etaMs === null ? '?' : seconds(etaMs).trim();
    this.bar.update(percent, { eta_text, note: ` | write ${numWritten}/${numFrames}` });
  }

  private done({ file, numFrames, fps, peakBytes, elapsedMs, seed }: DoneEvent): void {
    this.stop();
    const length = (numFrames / fps).toFixed(1);
    console.error(
      `${seconds(elapsedMs)} done: ${numFrames} frames (${length} s), seed ${seed}, peak ${mebibytes(peakBytes)}`,
    );
    if (file !== null) console.log(file);
  }
}

/** Where a run computes, and why not on a GPU when nobody chose the CPU. */
function deviceLine({ kind, ordinal, name, whyNoGpu }: RunDevice): string {
  const place = ordinal === null ? kind : `${kind}:${ordinal}`;
  const reason = whyNoGpu === undefined ? '' : `; no GPU: ${whyNoGpu}`;
  return `device ${place} (${name})${reason}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** The reporter that the flags of a command ask for. */
export function reporterFor(flags: {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}): Reporter {
  if (flags.json) return new JsonReporter();
  return flags.quiet ? new QuietReporter() : new TerminalReporter();
}
