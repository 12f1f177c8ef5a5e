/**
 * A video from a picture and a prompt: FramePack's algorithm from end to end. Start here.
 *
 * Zhang and Agrawala, arXiv 2504.12626; upstream demo_gradio.py and demo_gradio_f1.py at 97fe5db.
 */
import { FramePackError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { warnOfMemory } from './checks/warnings.ts';
import { encodeImage, encodeText } from './encode-conditions.ts';
import type { GenerateEvent } from './events.ts';
import { digestOfVideo } from './jobs/read-job.ts';
import { openRun, type Run } from './open-run.ts';
import { lowerBudget } from './planning/memory-budget.ts';
import { memoryOf, type PlannedRun, planMemory, planWithin } from './planning/plan-memory.ts';
import { eventsOf } from './progress/event-queue.ts';
import { checkRequest, type GenerateRequest, promptsOf } from './request.ts';
import { type RunObserver, throwIfAborted } from './run-context.ts';
import { sampleVideo } from './sample-video.ts';

/**
 * Generates a video, reporting progress as events; the last is `done`. Leaving the loop early stops the run.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_IMAGE`, `ERR_CHECKPOINT`, `ERR_OUTPUT` for bad input, before
 *   anything is computed; `ERR_ABORTED` within one block of the signal; `ERR_NUMERIC` instead of a broken video;
 *   `ERR_OUT_OF_MEMORY`, before anything is computed where the byte budget does not suffice, and later where a plan that
 *   takes less does not help. Nothing is left behind but the folder of a `job`, and the next run works.
 * @example
 * for await (const event of generate({ model, image: 'start.png', prompt, out: 'video.mp4' })) {
 *   if (event.type === 'step') console.log(event.section, event.step, event.etaMs);
 * }
 */
export async function* generate(
  request: GenerateRequest,
): AsyncGenerator<GenerateEvent, void, undefined> {
  const { signal } = checkRequest(request);
  yield* eventsOf(signal, (stop, emit) => runGeneration({ ...request, signal: stop }, emit));
}

/** The run behind {@link generate}; the observer sees intermediate values. */
export async function runGeneration(
  request: GenerateRequest,
  emit: (event: GenerateEvent) => void,
  observer?: RunObserver,
): Promise<void> {
  await using run = await openRun(request, emit, observer);
  await finishRun(run);
}

/**
 * Makes the video of an open run. Where the device runs out of memory before a section is complete, because others use
 * it too, the run begins anew one tier lower, once.
 */
export async function finishRun(run: Run): Promise<void> {
  try {
    await makeWithin(await planMemory(run));
  } catch (error) {
    run.job?.logFailure(error);
    throw error;
  }
}

async function makeWithin(planned: PlannedRun): Promise<void> {
  const { reporter, loras } = planned.run.context;
  reporter.plan(memoryOf(planned.rehearsal), planned.memory);
  for (const report of loras.reports) reporter.lora(report);
  try {
    await makeVideo(planned);
  } catch (error) {
    const smaller = await smallerPlan(planned, error);
    if (smaller === null) throw error;
    reporter.restart();
    await makeVideo(smaller);
  }
}

/** The plan to go on with after an error; null where there is none, or where frames have been given away. */
async function smallerPlan(
  { run, rehearsal }: PlannedRun,
  error: unknown,
): Promise<PlannedRun | null> {
  const { reporter, residency } = run.context;
  const isFull = error instanceof FramePackError && error.code === 'ERR_OUT_OF_MEMORY';
  if (!isFull || reporter.hasSections) return null;
  residency.release();
  const { peakBytes } = rehearsal;
  const smaller = await planWithin(run, lowerBudget(peakBytes));
  if (smaller.rehearsal.peakBytes >= peakBytes) return null;
  warnOfMemory(reporter, peakBytes, smaller.rehearsal.peakBytes);
  return smaller;
}

async function makeVideo({ run, memory }: PlannedRun): Promise<void> {
  const { context, settings } = run;
  const { reporter } = context;
  context.device.resetPeak();
  await scope(async () => {
    const text = await encodeText(context, promptsOf(settings));
    const image = await encodeImage(context, run.picture, run.tiling);
    await sampleVideo(run, { text, image });
  });
  run.output.noteTiling(memory.tiling);
  reporter.startWriting(run.plan.numFrames);
  reporter.done(await writeVideo(run));
}

/** The file of the video, null for none. A job learns what came of it before the file has its name. */
async function writeVideo(run: Run): Promise<string | null> {
  const { context, frames, job, output, plan, plans, numTrimmed } = run;
  const { numFrames, width, height, fps } = plan;
  const size = { numFrames, width, height, fps };
  if (frames === null) {
    await job?.keepResult({ file: null, sha256: null, ...size });
    return null;
  }
  const file = await output.write(frames.inOrder(plans[0]!.growsAt === 'front', numTrimmed), {
    job: job?.path,
    beforeFrame: (numWritten) => {
      throwIfAborted(context.signal);
      context.reporter.wrote(numWritten);
    },
    ...(job !== null && {
      beforePublish: async (temporary, path) =>
        job.keepResult({ file: path, sha256: await digestOfVideo(temporary), ...size }),
    }),
  });
  await frames.remove();
  return file;
}
