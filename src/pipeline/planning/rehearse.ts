import { Device } from '../../tensor/device.ts';
import { scope } from '../../tensor/scope.ts';
import { encodeImage, encodeText } from '../encode-conditions.ts';
import type { MemoryEstimate } from '../events.ts';
import type { Run } from '../open-run.ts';
import { RunReporter } from '../progress/run-reporter.ts';
import { promptsOf } from '../request.ts';
import { Residency } from '../residency.ts';
import type { RunObserver } from '../run-context.ts';
import { sampleVideo } from '../sample-video.ts';
import {
  type MeasuredStage,
  type Repetitions,
  type StageName,
  StageRecorder,
} from './stage-recorder.ts';

/** Of the steps of a section only the first differ in memory: the sampler remembers two predictions. */
const REHEARSED_STEPS = 3;

/** What a rehearsal found out. */
export interface Rehearsal extends MemoryEstimate {
  /** In the order of the work; each once. */
  readonly stages: readonly MeasuredStage[];
  /** Weights that are on the device when the video is complete. */
  readonly keptBytes: number;
}

/**
 * How much memory and work a run will take: the run itself on the `meta` device, which allocates like the others and
 * computes nothing. Sections and steps that repeat are rehearsed once and counted as often as they come. A step cache
 * adds what it remembers, the tokens of one or two blocks, and skips work; neither is counted.
 */
export async function rehearse(run: Run): Promise<Rehearsal> {
  await using device = Device.open('meta');
  const { settings, plans } = run;
  const residency = new Residency();
  const steps = Math.min(settings.steps, REHEARSED_STEPS);
  const rehearsed = [...new Set([plans[0]!, plans.at(-2) ?? plans[0]!, plans.at(-1)!])];
  const recorder = new StageRecorder(device, residency, {
    // Those between the first and the last are all alike; of the steps those behind the first.
    sections: repeated(rehearsed.length, plans.length),
    steps: repeated(steps, settings.steps),
  });
  const context = {
    ...run.context,
    ...{ device, residency, pace: async () => {} },
    observer: weightObserver(recorder),
    reporter: new RunReporter(device, run.plan, (event) => recorder.onEvent(event)),
  };
  await scope(async () => {
    const text = await encodeText(context, promptsOf(settings));
    const image = await encodeImage(context, run.picture, run.tiling);
    const shortened = {
      settings: { ...settings, steps, stepCache: null },
      ...{ plans: rehearsed, preview: null, frames: null, job: null },
    };
    await sampleVideo({ ...run, ...shortened, context }, { text, image });
  });
  const stages = withKept(recorder.finish(), run.context.residency.keptBytes);
  const keptBytes = device.memory().currentBytes;
  residency.release();
  return { ...memoryOf(stages), stages, keptBytes };
}

/** Counts for the rehearsed ones of so many: the second stands for all that are left out. */
function repeated(numRehearsed: number, total: number): Repetitions['sections'] {
  const counts = Array.from({ length: numRehearsed }, () => 1);
  if (total > numRehearsed) counts[1] = total - numRehearsed + 1;
  return counts;
}

function weightObserver(recorder: StageRecorder): RunObserver {
  const ignore = (): void => {};
  return {
    ...{ ids: ignore, tensor: ignore, frames: ignore },
    weights: (checkpoint) => recorder.onWeights(checkpoint),
    loaded: () => recorder.onLoaded(),
  };
}

const IN_VIDEO: ReadonlySet<StageName> = new Set(['sample', 'vae-decode']);

/** Networks that an earlier video left on the device are there while the conditions are encoded. */
function withKept(stages: readonly MeasuredStage[], keptBytes: number): readonly MeasuredStage[] {
  return stages.map((stage) => {
    if (IN_VIDEO.has(stage.stage)) return stage;
    const { peakBytes, weightBytes } = stage;
    return { ...stage, peakBytes: peakBytes + keptBytes, weightBytes: weightBytes + keptBytes };
  });
}

function memoryOf(stages: readonly MeasuredStage[]): MemoryEstimate {
  const peakOf = (isOf: (stage: StageName) => boolean): number =>
    Math.max(...stages.filter(({ stage }) => isOf(stage)).map(({ peakBytes }) => peakBytes));
  const encodeBytes = peakOf((stage) => !IN_VIDEO.has(stage));
  const sampleBytes = peakOf((stage) => stage === 'sample');
  const decodeBytes = peakOf((stage) => stage === 'vae-decode');
  return {
    ...{ encodeBytes, sampleBytes, decodeBytes },
    peakBytes: Math.max(encodeBytes, sampleBytes, decodeBytes),
  };
}
