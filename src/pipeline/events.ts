import type { GenerationMode } from '../framepack/named-schedules.ts';
import type { DeviceKind } from '../tensor/device.ts';
import type { ModelPart } from '../weights/model-folder.ts';
import type { LoraReport } from './inputs/loras.ts';
import type { Placements } from './residency.ts';

/** Where a run is in time. Every event carries it. */
export interface Moment {
  readonly elapsedMs: number;
  /** Share of the work that is done: never falls, is below 100 until the video is complete, and 100 in `done`. */
  readonly percent: number;
  /** Estimate of what remains, decoding and writing included; null until there is something to measure. */
  readonly etaMs: number | null;
}

/** Bytes on the device, as its allocator counts them. */
export interface MemoryReading {
  readonly currentBytes: number;
  readonly peakBytes: number;
}

/**
 * A picture of the latest denoised guess: the latent frames side by side, one pixel a latent. `rgb` holds
 * `[height, width, 3]` bytes, `png` a file.
 */
export interface Preview {
  readonly format: 'rgb' | 'png';
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Bytes that tensors take on the device, weights included. */
export interface MemoryEstimate {
  /** Highest while texts and picture are encoded. */
  readonly encodeBytes: number;
  /** Highest while sections are sampled. */
  readonly sampleBytes: number;
  /** Highest while sections are decoded. */
  readonly decodeBytes: number;
  /** The highest of the three. */
  readonly peakBytes: number;
}

/** Where a run computes. */
export interface RunDevice {
  readonly kind: DeviceKind;
  /** Which of the GPUs; null on the CPU. */
  readonly ordinal: number | null;
  /** The processor or the GPU. */
  readonly name: string;
  /** Why `auto` took the CPU, as a clause without its end. */
  readonly whyNoGpu?: string;
}

/** How a run keeps to its memory. */
export interface MemoryPlan extends Placements {
  /** Whether the decoder cuts pictures into tiles too. */
  readonly tiling: 'temporal' | 'full';
  /** Most bytes that tensors may take on the device: what was asked for, or what a GPU has free; null for no limit. */
  readonly budgetBytes: number | null;
}

/** What is going to be made. The first event. */
export interface PlanEvent extends Moment {
  readonly type: 'plan';
  readonly width: number;
  readonly height: number;
  /** Frames a second of the file. */
  readonly fps: number;
  /** Frames of the video, a whole number of sections and the start picture. */
  readonly numFrames: number;
  /** Real length of the video, `numFrames / fps`. */
  readonly seconds: number;
  readonly mode: GenerationMode;
  /** The seed in use, drawn ones included; a bigint only beyond 2^53 - 1. */
  readonly seed: number | bigint;
  readonly numSections: number;
  /** Sampler steps of each section. */
  readonly numSteps: number;
  readonly device: RunDevice;
  readonly estimate: MemoryEstimate;
  readonly memory: MemoryPlan;
}

/** A LoRA is going to be merged; one event for each, behind the plan. */
export interface LoraEvent extends Moment, LoraReport {
  readonly type: 'lora';
}

/** The weights of a network are loaded. */
export interface LoadEvent extends Moment {
  readonly type: 'stage';
  readonly stage: 'load';
  readonly part: ModelPart;
}

/** A part of the run outside its sections begins or goes on. */
export interface RunStageEvent extends Moment {
  readonly type: 'stage';
  readonly stage: 'encode-text' | 'encode-image' | 'write';
}

/** Sampling or decoding of a section begins. */
export interface SectionStageEvent extends Moment {
  readonly type: 'stage';
  readonly stage: 'sample' | 'decode';
  /** Counted from 0 in sampling order. */
  readonly section: number;
  readonly numSections: number;
}

/** A stage begins; `stage` tells which of the three it is. */
export type StageEvent = LoadEvent | RunStageEvent | SectionStageEvent;

/** Names of the stages. */
export type Stage = StageEvent['stage'];

/** One sampler step is done. */
export interface StepEvent extends Moment {
  readonly type: 'step';
  readonly section: number;
  readonly numSections: number;
  /** Finished steps of this section, 1 to `numSteps`. */
  readonly step: number;
  readonly numSteps: number;
  /** Noise level that was denoised. */
  readonly sigma: number;
  /** Whether the step cache stood in for the blocks. */
  readonly isCached: boolean;
  readonly memory: MemoryReading;
  /** Null unless the request asks for previews. */
  readonly preview: Preview | null;
}

/** One section is sampled and decoded. */
export interface SectionEvent extends Moment {
  readonly type: 'section';
  readonly section: number;
  readonly numSections: number;
  /** Pixel frames of the video so far, those included that the next section is still blended with. */
  readonly numFrames: number;
  /** Place in the finished video of the first of {@link SectionEvent.frames}. */
  readonly firstFrame: number;
  /** Whether its latents came from the folder of the job, where an earlier run had left them. */
  readonly isResumed: boolean;
  /** Frames that became final with this section, RGB `[height, width, 3]`, in time order. */
  readonly frames: readonly Uint8Array[];
}

/** The video is being written; comes about twenty times, and not at all without a file. */
export interface WriteEvent extends Moment {
  readonly type: 'write';
  /** Frames that the encoder has taken. */
  readonly numWritten: number;
  readonly numFrames: number;
}

/** Kinds of warnings. */
export type WarningCode =
  /** An input was given that this run does not hear. */
  | 'WARN_INACTIVE_INPUT'
  /** A prompt was longer than an encoder reads. */
  | 'WARN_PROMPT_CUT'
  /** No encoder is there, so that the video becomes numbered pictures. */
  | 'WARN_PNG_FRAMES'
  /** The device had less memory than was planned with: the run began anew with a plan that takes less. */
  | 'WARN_MEMORY'
  /** A LoRA holds tensors that belong to nothing in the transformer. */
  | 'WARN_LORA_KEYS'
  /** A checkpoint holds tensors that nothing read. */
  | 'WARN_UNUSED_TENSORS'
  /** The weights were not trained with the schedule that was asked for. */
  | 'WARN_UNTRAINED_SCHEDULE';

/** Something that the user should know and that does not stop the run. Each is reported once. */
export interface WarningEvent extends Moment {
  readonly type: 'warning';
  readonly code: WarningCode;
  /** One sentence in the form of error messages. */
  readonly message: string;
}

/** The video is complete. The last event. */
export interface DoneEvent extends Moment {
  readonly type: 'done';
  /** Path of the written video, or null when the request named none. */
  readonly file: string | null;
  /** Frames of the video; `section` events had them. */
  readonly numFrames: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seed: number | bigint;
  readonly peakBytes: number;
}

/** What {@link generate} yields; `type` tells them apart. */
export type GenerateEvent =
  | PlanEvent
  | LoraEvent
  | WarningEvent
  | StageEvent
  | StepEvent
  | SectionEvent
  | WriteEvent
  | DoneEvent;
