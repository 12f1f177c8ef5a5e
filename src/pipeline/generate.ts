/**
 * A video from a picture and a prompt: FramePack's algorithm from end to end. Start here.
 *
 * Zhang and Agrawala, arXiv 2504.12626; upstream demo_gradio.py and demo_gradio_f1.py at 97fe5db.
 */
import { scope } from '../tensor/scope.ts';
import { encodeImage, encodeText } from './encode-conditions.ts';
import type { GenerateEvent } from './events.ts';
import { digestOfVideo } from './jobs/read-job.ts';
import { openRun, type Run } from './open-run.ts';
import { planMemory } from './planning/plan-memory.ts';
import { eventsOf } from './progress/event-queue.ts';
import { checkRequest, type GenerateRequest, promptsOf } from './request.ts';
import { type RunObserver, throwIfAborted } from './run-context.ts';
import { sampleVideo } from './sample-video.ts';

/**
 * Generates a video, reporting progress as events; the last is `done`. Leaving the loop early stops the run.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_IMAGE`, `ERR_CHECKPOINT`, `ERR_OUTPUT` for bad input, before
 *   anything is computed; `ERR_ABORTED` within one block of the signal; `ERR_NUMERIC` instead of a broken video;
 *   `ERR_OUT_OF_MEMORY`, before anything is computed where the byte budget does not suffice. Nothing is left behind but
 *   the folder of a `job`, and the next run works.
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

/** Makes the video of an open run. */
export async function finishRun(run: Run): Promise<void> {
  try {
    await makeVideo(run);
  } catch (error) {
    run.job?.logFailure(error);
    throw error;
  }
}

async function makeVideo(run: Run): Promise<void> {
  const { context, settings } = run;
  const { reporter } = context;
  reporter.plan(await planMemory(run));
  for (const report of context.loras.reports) reporter.lora(report);
  context.device.resetPeak();
  const frames = await scope(async () => {
    const text = await encodeText(context, promptsOf(settings));
    const image = await encodeImage(context, run.picture, run.tiling);
    return sampleVideo(run, { text, image });
  });
  reporter.startWriting(frames.length);
  const file = await writeVideo(run, frames);
  reporter.done({ file, frames });
}

/** The file of the video, null for none. A job learns what came of it before the file has its name. */
async function writeVideo(run: Run, frames: readonly Uint8Array[]): Promise<string | null> {
  const { context, job, output, plan } = run;
  const { width, height, fps } = plan;
  const size = { numFrames: frames.length, width, height, fps };
  if (output.path === null) {
    await job?.keepResult({ file: null, sha256: null, ...size });
    return null;
  }
  return output.write(frames, {
    beforeFrame: (numWritten) => {
      throwIfAborted(context.signal);
      context.reporter.wrote(numWritten);
    },
    ...(job !== null && {
      beforePublish: async (temporary, file) =>
        job.keepResult({ file, sha256: await digestOfVideo(temporary), ...size }),
    }),
  });
}
