import { FramePackError } from '../errors.ts';
import { videoFrames } from '../framepack/frame-count.ts';
import { parseSchedule } from '../framepack/packing.ts';
import { planSections, type SectionPlan } from '../framepack/section-plan.ts';
import { loadSharp, type RgbImage } from '../media/decode-image.ts';
import type { VideoOptions } from '../media/video/video-writer.ts';
import { FULL_TILING, TEMPORAL_TILING, type VaeTiling } from '../models/vae/tiling.ts';
import {
  warnOfInactiveInputs,
  warnOfLeftOver,
  warnOfLora,
  warnOfPictures,
  warnOfSchedule,
} from './checks/warnings.ts';
import type { GenerateEvent, MemoryPlan, Preview } from './events.ts';
import { choiceOf } from './inputs/device-choice.ts';
import { RunLoras } from './inputs/loras.ts';
import { dateValues, fillName } from './inputs/output-name.ts';
import { FADING_FRAMES, fittedPicture, madeUpPicture } from './inputs/start-picture.ts';
import { JobFolder } from './jobs/job-folder.ts';
import { runMetadata } from './metadata/run-metadata.ts';
import { storedLora } from './metadata/video-metadata.ts';
import { type OpenModel, openModel } from './model/open-model.ts';
import { openOutput, type VideoOutput } from './output.ts';
import { type PlanFacts, RunReporter } from './progress/run-reporter.ts';
import {
  checkRequest,
  type GenerateRequest,
  type ResolvedRequest,
  resolveRequest,
  splitRequest,
  type VideoRequest,
} from './request.ts';
import { ALL_STAY } from './residency.ts';
import { oneBlockAhead, type RunContext, type RunObserver, throwIfAborted } from './run-context.ts';
import { FinishedFrames } from './sections/finished-frames.ts';

/** A checked request with everything it needs open. Disposing it gives up an unfinished video, and closes the model it opened. */
export interface Run extends AsyncDisposable {
  readonly context: RunContext;
  readonly settings: ResolvedRequest;
  readonly plan: PlanFacts;
  /** In sampling order; at least one. */
  readonly plans: readonly SectionPlan[];
  /** Frames at the start of the video that are left out. */
  readonly numTrimmed: number;
  /** The start picture at the size of the video. */
  readonly picture: RgbImage;
  readonly tiling: VaeTiling;
  /** Format of the previews, or null for none. */
  readonly preview: Preview['format'] | null;
  readonly output: NamedOutput;
  /** Keeps final frames until the video is written; null where no video is. */
  readonly frames: FinishedFrames | null;
  /** Folder that keeps finished sections, or null for none. */
  readonly job: JobFolder | null;
}

/** The file of a run. */
export interface NamedOutput extends VideoOutput {
  /** Takes note of how the decoder is cut, for what the file says of itself; before it is written. */
  readonly noteTiling: (tiling: MemoryPlan['tiling']) => void;
}

/**
 * Checks everything that can be wrong with a request before anything is computed, with a model of its own.
 *
 * @throws {@link FramePackError} See `generate`.
 */
export async function openRun(
  unchecked: GenerateRequest,
  emit: (event: GenerateEvent) => void,
  observer?: RunObserver,
): Promise<Run> {
  const { load, request } = splitRequest(checkRequest(unchecked));
  throwIfAborted(request.signal);
  const model = await openModel(load);
  try {
    const run = await openRunOf(model, request, emit, observer);
    return {
      ...run,
      [Symbol.asyncDispose]: async () => {
        await run[Symbol.asyncDispose]();
        await model[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await model[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * As {@link openRun}, of a model that is open already and stays so.
 *
 * @param request - checked.
 */
export async function openRunOf(
  model: OpenModel,
  request: VideoRequest,
  emit: (event: GenerateEvent) => void,
  observer?: RunObserver,
): Promise<Run> {
  const { signal } = request;
  throwIfAborted(signal);
  const { leftOver, load: _, deviceFacts, ...opened } = model;
  const { info, device } = opened;
  const settings = resolveRequest(request, info);
  const { start, seed } = settings;
  const loras = await RunLoras.open(model.folder, request.loras ?? [], signal);
  const { image } = request;
  if (request.preview === 'png') await loadSharp('generate');
  const picture =
    image === undefined ? madeUpPicture(start!, seed, info) : await fittedPicture(image, info);
  const { mode, seconds, latentWindowSize } = settings;
  const schedule = parseSchedule(settings.schedule);
  const plans = planSections({ schedule, seconds, fps: info.fps });
  const { width, height } = picture;
  const numTrimmed = start === null ? 0 : FADING_FRAMES;
  const numFrames = videoFrames(plans.length, latentWindowSize) - numTrimmed;
  checkRemaining(numFrames, settings, info);
  const fps = request.fps ?? info.fps;
  const plan: PlanFacts = {
    ...{ width, height, fps, numFrames, seconds: numFrames / fps, mode },
    ...{ seed, numSections: plans.length, numSteps: settings.steps, device: deviceFacts },
  };
  const output = await openNamedOutput(model, request, settings, plan, loras);
  const job = await openJob(model, request, output);
  const frames = framesOf(output, plan, job);
  const reporter = new RunReporter(device, plan, job?.logged(emit) ?? emit);
  warnOfInactiveInputs(reporter, request, settings);
  warnOfSchedule(reporter, settings, info);
  if (output.isFallback) warnOfPictures(reporter);
  for (const report of loras.reports) warnOfLora(reporter, report);
  for (const { part, tensors } of leftOver) warnOfLeftOver(reporter, part, { leftOver: tensors });
  return {
    context: {
      ...{ ...opened, loras, signal, pace: oneBlockAhead(device, signal), reporter, observer },
      placements: ALL_STAY,
    },
    settings,
    plan,
    plans,
    numTrimmed,
    picture,
    tiling: settings.tiling === 'full' ? FULL_TILING : TEMPORAL_TILING,
    preview: request.preview === true ? 'rgb' : request.preview || null,
    output,
    frames,
    job,
    [Symbol.asyncDispose]: async () => {
      job?.[Symbol.dispose]();
      await frames?.[Symbol.asyncDispose]();
      await output[Symbol.asyncDispose]();
    },
  };
}

function framesOf(
  { path: out }: VideoOutput,
  { width, height }: PlanFacts,
  job: JobFolder | null,
): FinishedFrames | null {
  if (out === null) return null;
  return new FinishedFrames({ job: job?.path ?? null, out, frameBytes: width * height * 3 });
}

async function openJob(
  { load, deviceFacts }: OpenModel,
  video: VideoRequest,
  output: VideoOutput,
): Promise<JobFolder | null> {
  try {
    const device = choiceOf(deviceFacts);
    return await JobFolder.open({ load: { ...load, device }, video, out: output.path });
  } catch (error) {
    await output[Symbol.asyncDispose]();
    throw error;
  }
}

/** Refuses a video that is over before its start has faded. */
function checkRemaining(
  numFrames: number,
  { seconds }: ResolvedRequest,
  { fps }: OpenModel['info'],
): void {
  if (numFrames > 0) return;
  const needed = (2 * FADING_FRAMES) / fps;
  throw new FramePackError(
    'ERR_ARGUMENT',
    `generate: seconds expected at least ${needed.toFixed(1)} for a video without a picture, whose first ${FADING_FRAMES} frames are left out, got ${seconds}`,
    { field: 'seconds' },
  );
}

/** The file of a run, its name filled in; how the run is made is gathered for it meanwhile. */
async function openNamedOutput(
  model: OpenModel,
  request: VideoRequest,
  settings: ResolvedRequest,
  { width, height, fps, numFrames }: PlanFacts,
  loras: RunLoras,
): Promise<NamedOutput> {
  let noteTiling: NamedOutput['noteTiling'] = () => {};
  if (request.out === undefined) return { ...(await openOutput(null)), noteTiling };
  const { info, device, dtype } = model;
  const { seed, mode } = settings;
  const values = { ...dateValues(new Date()), seed: String(seed), mode, model: info.name };
  const options: VideoOptions = {
    ...{ path: fillName(request.out, values), width, height, fps },
    ...(request.crf !== undefined && { quality: request.crf }),
    ...(request.encoder !== undefined && { encoder: request.encoder }),
    ...(request.overwrite && { overwrite: true }),
  };
  if (request.metadata === false) return { ...(await openOutput(options)), noteTiling };
  const { tiling: _, ...chosen } = settings;
  const facts = {
    ...{ ...chosen, width, height, fps, numFrames, device: device.kind, dtype },
    loras: loras.reports.map(storedLora),
  };
  const tiling = new Promise<MemoryPlan['tiling']>((resolve) => {
    noteTiling = resolve;
  });
  const left = new AbortController();
  const metadata = runMetadata(request, model.folder, facts, left.signal, tiling);
  // Whoever writes the video sees the failure; it must not be unhandled until then.
  metadata.catch(() => {});
  try {
    const output = await openOutput({ ...options, metadata });
    return {
      ...{ ...output, noteTiling },
      [Symbol.asyncDispose]: async () => {
        left.abort();
        await output[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    left.abort();
    throw error;
  }
}
