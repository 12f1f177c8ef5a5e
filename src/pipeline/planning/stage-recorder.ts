import type { Device } from '../../tensor/device.ts';
import type { Work } from '../../tensor/work/operation-work.ts';
import {
  addWork,
  type WorkClass,
  WorkMeter,
  type WorkTally,
} from '../../tensor/work/work-meter.ts';
import type { Checkpoint } from '../../weights/checkpoint.ts';
import type { GenerateEvent, StageEvent } from '../events.ts';
import { DECODER_NAME, type Residency, TRANSFORMER_NAME } from '../residency.ts';

/** Parts of a run that use the device. */
export type StageName = 'text-encoders' | 'image-encoder' | 'vae-encode' | 'sample' | 'vae-decode';

const STAGE_ORDER: readonly StageName[] = [
  'text-encoders',
  'image-encoder',
  'vae-encode',
  'sample',
  'vae-decode',
];

/** What a stage took. */
export interface MeasuredStage {
  readonly stage: StageName;
  /** Highest number of bytes on the device. */
  readonly peakBytes: number;
  /** Weights that were on the device all that time; blocks that pass through it are not among them. */
  readonly weightBytes: number;
  /** Bytes of weights read from disk, as often as they are loaded. */
  readonly diskBytes: number;
  readonly tally: WorkTally;
}

/** How often the parts of a rehearsal come in the run that it stands for. */
export interface Repetitions {
  /** For each section. */
  readonly sections: readonly number[];
  /** For each step of a section. */
  readonly steps: readonly number[];
}

/** A network by the name under which it stays, which is one stage's. */
type NetworkName = keyof typeof STAGES;

const STAGES = {
  text_encoder: 'text-encoders',
  text_encoder_2: 'text-encoders',
  image_encoder: 'image-encoder',
  'vae encoder': 'vae-encode',
  [TRANSFORMER_NAME]: 'sample',
  [DECODER_NAME]: 'vae-decode',
} as const satisfies Record<string, StageName>;

interface Totals {
  peakBytes: number;
  weightBytes: number;
  diskBytes: number;
  readonly tally: Map<WorkClass, Work>;
}

/**
 * Watches a rehearsal and tells its stages apart by the events of the run. What lies between two events belongs to the
 * network that the first of them named; of the periods of a stage the one with the highest peak says what its memory
 * is made of.
 */
export class StageRecorder {
  private readonly device: Device;
  private readonly residency: Residency;
  private readonly repetitions: Repetitions;
  private readonly meter: WorkMeter;
  private readonly totals: Map<StageName, Totals> = new Map();
  /** Weights on the device by network. */
  private readonly present: Map<string, number> = new Map();
  private network: NetworkName = 'text_encoder';
  /** Bytes on the device when the network began to be loaded. */
  private loadingFrom: number | null = null;
  /** Weights of the networks, and what had been read of them. */
  private readonly sources: Map<NetworkName, { checkpoint: Checkpoint; readBytes: number }> =
    new Map();
  private isImageEncoded = false;
  private section = 0;

  constructor(device: Device, residency: Residency, repetitions: Repetitions) {
    this.device = device;
    this.residency = residency;
    this.repetitions = repetitions;
    this.meter = WorkMeter.of(device);
  }

  /** Takes note of an event. */
  onEvent(event: GenerateEvent): void {
    if (event.type === 'step') this.close(this.repetitions.steps[event.step - 1]);
    if (event.type === 'stage') this.begin(event);
    if (event.type === 'section') {
      this.close();
      this.section += 1;
    }
  }

  /** Takes note of the weights of the network that is being loaded. */
  onWeights(checkpoint: Checkpoint): void {
    this.sources.set(this.network, { checkpoint, readBytes: 0 });
  }

  /** Takes note that the network is there. */
  onLoaded(): void {
    this.close();
  }

  /** Everything so far, in the order of the run. */
  finish(): readonly MeasuredStage[] {
    this.close();
    return STAGE_ORDER.map((stage) => ({ stage, ...this.totalsOf(stage) }));
  }

  private begin(event: StageEvent): void {
    this.close();
    if (event.stage === 'load') {
      const isDecoder = event.part === 'vae' && this.isImageEncoded;
      if (event.part === 'vae') {
        this.network = isDecoder ? DECODER_NAME : 'vae encoder';
        this.isImageEncoded = true;
      } else this.network = event.part as NetworkName;
    } else if (event.stage === 'sample') this.network = TRANSFORMER_NAME;
    else if (event.stage === 'decode') this.network = DECODER_NAME;
    // What does not stay was freed when its use ended.
    for (const name of this.present.keys()) {
      if (name !== this.network && !this.residency.keeps(name)) this.present.delete(name);
    }
    if (event.stage === 'load') {
      this.present.delete(this.network);
      this.loadingFrom = this.device.memory().currentBytes;
    }
  }

  /** Ends a period and counts its work so many times as its section, and within it its step, comes. */
  private close(stepRepetitions: number = 1): void {
    const { currentBytes, peakBytes } = this.device.memory();
    const totals = this.totalsOf(STAGES[this.network]);
    const times = stepRepetitions * (this.repetitions.sections[this.section] ?? 1);
    if (this.loadingFrom !== null) {
      this.present.set(this.network, currentBytes - this.loadingFrom);
      this.loadingFrom = null;
    }
    for (const [name, source] of this.sources) {
      const { takenBytes } = source.checkpoint;
      this.totalsOf(STAGES[name]).diskBytes += times * (takenBytes - source.readBytes);
      source.readBytes = takenBytes;
    }
    for (const [name, work] of this.meter.take()) addWork(totals.tally, name, work, times);
    if (peakBytes > totals.peakBytes) {
      totals.peakBytes = peakBytes;
      totals.weightBytes = [...this.present.values()].reduce((sum, bytes) => sum + bytes, 0);
    }
    this.device.resetPeak();
  }

  private totalsOf(stage: StageName): Totals {
    const known = this.totals.get(stage);
    if (known !== undefined) return known;
    const totals: Totals = { peakBytes: 0, weightBytes: 0, diskBytes: 0, tally: new Map() };
    this.totals.set(stage, totals);
    return totals;
  }
}
