/** Parts of a run in order; `sample` and `decode` alternate, once a section. */
export type Stage = 'load' | 'encode-text' | 'encode-image' | 'sample' | 'decode' | 'write';

/** Bytes on the device, as its allocator counts them. */
export interface MemoryReading {
  readonly currentBytes: number;
  readonly peakBytes: number;
}

/** A picture of the latest denoised guess: the latent frames side by side, one pixel a latent. */
export interface Preview {
  readonly width: number;
  readonly height: number;
  /** RGB, row-major `[height, width, 3]`. */
  readonly rgb: Uint8Array;
}

/** A stage begins. */
export interface StageEvent {
  readonly type: 'stage';
  readonly stage: Stage;
  /** Sampled section, counted from 0 in sampling order; absent outside sections. */
  readonly section?: number;
  readonly elapsedMs: number;
}

/** One sampler step is done. */
export interface StepEvent {
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
  readonly elapsedMs: number;
  /** Estimate of what remains of the whole run; null until there is something to measure. */
  readonly etaMs: number | null;
  readonly memory: MemoryReading;
  readonly preview?: Preview;
}

/** One section is sampled and decoded. */
export interface SectionEvent {
  readonly type: 'section';
  readonly section: number;
  readonly numSections: number;
  /** Pixel frames of the video so far. */
  readonly numFrames: number;
  readonly elapsedMs: number;
}

/** The video is complete. The last event. */
export interface DoneEvent {
  readonly type: 'done';
  /** Path of the written video, or null when the request named none. */
  readonly file: string | null;
  /** RGB frames `[height, width, 3]` in order. */
  readonly frames: readonly Uint8Array[];
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seed: number;
  readonly peakBytes: number;
  readonly elapsedMs: number;
}

/** What {@link generate} yields. */
export type GenerateEvent = StageEvent | StepEvent | SectionEvent | DoneEvent;
