import { overlapFrames } from '../framepack/frame-count.ts';
import { History } from '../framepack/history.ts';
import type { SectionPlan } from '../framepack/section-plan.ts';
import { encodePng } from '../media/png.ts';
import type { Dit } from '../models/dit/dit.ts';
import type { VaeVideoDecoder } from '../models/vae/vae.ts';
import { flowShiftMu, sigmaSchedule } from '../sampling/schedule.ts';
import { Generator } from '../tensor/generator.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { assertFinite } from './checks/finite.ts';
import type { ImageConditions, TextConditions } from './encode-conditions.ts';
import type { Preview } from './events.ts';
import { JobSections } from './jobs/job-sections.ts';
import type { Run } from './open-run.ts';
import { previewLatents } from './progress/preview.ts';
import type { RunReporter } from './progress/run-reporter.ts';
import type { Lender } from './residency.ts';
import type { RunContext } from './run-context.ts';
import { transformer, videoDecoder } from './sections/networks.ts';
import {
  type SamplerSettings,
  type SectionOptions,
  type SectionStep,
  sampleSection,
} from './sections/sample-section.ts';
import { VideoAssembly } from './sections/video-assembly.ts';

/** What a video is conditioned on. */
export interface VideoConditions {
  readonly text: readonly TextConditions[];
  readonly image: ImageConditions;
}

/** Samples and decodes section after section; their frames go into events, and to the frames of the run. */
export async function sampleVideo(run: Run, conditions: VideoConditions): Promise<void> {
  const { context, plans, settings } = run;
  const { reporter } = context;
  const { startLatent } = conditions.image;
  const { latentWindowSize } = settings;
  using history = new History({ start: startLatent, plan: plans[0]! });
  using video = new VideoAssembly(context.observer?.frames);
  const job = await JobSections.open(run, conditions);
  const { placements, residency } = context;
  const lendDit = (): Promise<Lender<Dit>> =>
    residency.lend(transformer(context), placements.transformer);
  const finished = job?.finished(plans.length) ?? [];
  let dit = finished.length === plans.length ? null : await lendDit();
  const decoder = await residency.lend(videoDecoder(context), placements.decoder);
  const numFound = (await run.frames?.find(finished)) ?? 0;
  let noise = new Generator(settings.seed);
  const [, channels, , height, width] = startLatent.shape as FiveExtents;
  const shape = [1, channels, latentWindowSize, height, width];
  const sampler: SamplerSettings = {
    ...settings,
    sigmas: sigmaSchedule(
      settings.steps,
      settings.flowShift === null
        ? flowShiftMu(latentWindowSize, height, width)
        : Math.log(settings.flowShift),
    ),
  };
  for (const plan of plans) {
    await scope(async () => {
      const { sectionIndex } = plan;
      const sampled = async (): Promise<Tensor<'f32'>> => {
        dit ??= await lendDit();
        const inputs = {
          ...{ ...conditions, plan, history, settings: sampler },
          noise: noise.randn(context.device, shape),
        };
        context.observer?.tensor(`section.${sectionIndex}.noise`, inputs.noise);
        return dit((network) => {
          reporter.sectionStage('sample', sectionIndex);
          return sampleSection(network, inputs, sectionOptions(run, plan));
        });
      };
      const kept = job?.take(sectionIndex) ?? null;
      if (kept !== null) reporter.resumeSection();
      noise = kept?.noise ?? noise;
      const latents = kept?.latents ?? (await sampled());
      if (kept === null) await job?.keep(sectionIndex, { latents, noise });
      context.observer?.tensor(`section.${sectionIndex}.latents`, latents);
      history.add(latents, plan);
      const section = { plan, history, video, numFound, origin: job?.frameOrigin ?? '' };
      const { frames, isDecoded } = await finishSection(run, section, decoder);
      const isResumed = kept !== null;
      reporter.section({ ...placed(run, plan, video, frames), isResumed }, isDecoded);
    });
  }
}

/** Where the frames of a section that are final now stand in the finished video, without those that are left out. */
function placed(
  { numTrimmed, plan: { numFrames } }: Run,
  { growsAt, sectionIndex }: SectionPlan,
  video: VideoAssembly,
  frames: readonly Uint8Array[],
): Omit<Parameters<RunReporter['section']>[0], 'isResumed'> {
  const isAtFront = growsAt === 'front';
  const numFinal = video.numFinished;
  const first = isAtFront ? numFrames - numFinal : numFinal - frames.length - numTrimmed;
  const numCut = Math.max(0, -first);
  return {
    section: sectionIndex,
    numFrames: isAtFront ? Math.min(video.numFrames, numFrames) : video.numFrames - numTrimmed,
    firstFrame: Math.max(0, first),
    frames: frames.slice(numCut),
  };
}

interface SampledSection {
  readonly plan: SectionPlan;
  readonly history: History;
  readonly video: VideoAssembly;
  /** Sections whose frames an earlier run left. */
  readonly numFound: number;
  /** What its frames are made from. */
  readonly origin: string;
}

/** The frames that become final with a section: as they were found, else decoded and put on the disk. */
async function finishSection(
  run: Run,
  section: SampledSection,
  decoder: Lender<VaeVideoDecoder>,
): Promise<{ frames: Uint8Array[]; isDecoded: boolean }> {
  const { plan, video, numFound, origin } = section;
  const { sectionIndex, isLast } = plan;
  const numOpen = isLast ? 0 : overlapFrames(plan.targetIndices.length);
  if (run.frames === null || sectionIndex >= numFound) {
    const clip = await decodeSection(run, section, decoder);
    const frames = await video.add(clip, plan, numOpen);
    await run.frames?.add(sectionIndex, frames, origin);
    return { frames, isDecoded: true };
  }
  // The last one that was found is decoded for what the next one is blended with.
  const isDecoded = sectionIndex === numFound - 1 && !isLast;
  const clip = isDecoded ? await decodeSection(run, section, decoder) : null;
  const frames = await run.frames.read(sectionIndex);
  video.resume(frames.length, plan, numOpen, clip);
  return { frames, isDecoded };
}

async function decodeSection(
  run: Run,
  { plan, history }: SampledSection,
  decoder: Lender<VaeVideoDecoder>,
): Promise<Tensor<'f32'>> {
  const { pace, reporter, dtype } = run.context;
  const latents = history.newest(plan.decode.numLatents);
  const { sectionIndex } = plan;
  const clip = await decoder((network) => {
    reporter.sectionStage('decode', sectionIndex);
    return network.decode(latents, { tiling: run.tiling, pace });
  });
  const origin = { stage: 'decode', network: 'vae', section: sectionIndex } as const;
  await assertFinite(clip, { ...origin, dtype });
  return clip;
}

function sectionOptions(run: Run, plan: SectionPlan): SectionOptions {
  const { dtype, pace, signal, info, observer } = run.context;
  const openCache = observer?.stepCache?.bind(observer, plan.sectionIndex);
  const onStep = (step: SectionStep): Promise<void> => reportStep(run, plan, step);
  return { dtype, pace, signal, magRatios: info.magRatios, openCache, onStep };
}

async function reportStep(run: Run, plan: SectionPlan, step: SectionStep): Promise<void> {
  const { context } = run;
  const { stepIndex, sigma, isCached, x0 } = step;
  if (stepIndex === 0) context.observer?.tensor(`section.${plan.sectionIndex}.x0_first`, x0);
  const preview = run.preview === null ? null : await previewOf(context, x0, run.preview);
  context.reporter.step({ section: plan.sectionIndex, stepIndex, sigma, isCached, preview });
}

async function previewOf(
  context: RunContext,
  x0: Tensor<'f32'>,
  format: Preview['format'],
): Promise<Preview> {
  const [, channels, frames, height, width] = x0.shape as FiveExtents;
  const values = await x0.readFloat32();
  const picture = previewLatents(values, [channels, frames, height, width], context.info.preview);
  const data = format === 'png' ? await encodePng(picture) : picture.data;
  return { ...picture, format, data };
}

type FiveExtents = [number, number, number, number, number];
