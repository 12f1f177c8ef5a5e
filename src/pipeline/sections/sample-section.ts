import type { History } from '../../framepack/history.ts';
import type { SectionPlan } from '../../framepack/section-plan.ts';
import type { Dit, DitEmbedding, DitInputs } from '../../models/dit/dit.ts';
import type { ContextFrames } from '../../models/dit/packed-context.ts';
import type { Pace } from '../../nn/block-chain.ts';
import {
  conditioningNumber,
  flowDenoiser,
  type GuidanceBranch,
  type VelocityModel,
} from '../../sampling/denoiser.ts';
import {
  openStepCache,
  type StepCacheSettings,
} from '../../sampling/step-cache/open-step-cache.ts';
import type { FirstBlock, StepCache } from '../../sampling/step-cache/step-cache.ts';
import { type SamplingStep, sampleUniPc } from '../../sampling/unipc.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { assertFinite } from '../checks/finite.ts';
import type { ImageConditions, TextConditions } from '../encode-conditions.ts';

/** Settings of the sampler, the same for every section. */
export interface SamplerSettings {
  /** Falling noise levels; see `sigmaSchedule`. */
  readonly sigmas: Float32Array;
  readonly cfg: number;
  readonly guidance: number;
  readonly guidanceRescale: number;
  /** Null: every step is computed. */
  readonly stepCache: StepCacheSettings | null;
}

/** Everything one section is sampled from. */
export interface SectionInputs {
  readonly plan: SectionPlan;
  readonly history: History;
  /** Positive conditions, then negative ones when CFG is on. */
  readonly text: readonly TextConditions[];
  readonly image: ImageConditions;
  /** `[1, C, T, H, W]`. */
  readonly noise: Tensor<'f32'>;
  readonly settings: SamplerSettings;
}

/** A finished step as the caller sees it. */
export interface SectionStep extends SamplingStep {
  readonly isCached: boolean;
}

/** How a section is sampled. */
export interface SectionOptions {
  /** The dtype that the transformer was loaded for. */
  readonly dtype: FloatDType;
  /** Awaited between blocks; it may reject to stop. */
  readonly pace?: Pace | undefined;
  /** Stops between steps. */
  readonly signal?: AbortSignal | undefined;
  /** Magnitudes that the checkpoint was calibrated to; the step cache `mag` needs them. */
  readonly magRatios?: readonly number[] | null | undefined;
  /** A step cache to use in place of the one of the settings. */
  readonly openCache?: ((branch: GuidanceBranch) => StepCache) | undefined;
  /** Called behind each step; what it is shown lives until it is done. */
  readonly onStep?: ((step: SectionStep) => Promise<void> | void) | undefined;
}

/**
 * Samples the latents of one section: the transformer's part of a video, without decoding. `planSections` says what a
 * section sees, a `History` holds it, and wants the result added.
 *
 * @returns `[1, C, T, H, W]` f32, owned by the current scope.
 * @throws {@link FramePackError} `ERR_NUMERIC` when a prediction is not finite, `ERR_ABORTED`.
 * @see FramePack, arXiv 2504.12626, section 3
 */
export async function sampleSection(
  dit: Dit,
  inputs: SectionInputs,
  options: SectionOptions,
): Promise<Tensor<'f32'>> {
  const { settings, plan, noise } = inputs;
  const { dtype, signal, onStep } = options;
  const origin = {
    ...({ stage: 'sample', network: 'transformer' } as const),
    ...{ dtype, section: plan.sectionIndex },
  };
  return scope(async () => {
    const velocity = new VelocityNetwork(dit, inputs, options);
    try {
      const denoise = flowDenoiser(velocity.model, {
        dtype,
        cfg: settings.cfg,
        guidanceRescale: settings.guidanceRescale,
      });
      return await sampleUniPc(denoise, noise, {
        sigmas: settings.sigmas,
        ...(signal && { signal }),
        onStep: async (step) => {
          await assertFinite(step.x0, { ...origin, step: step.stepIndex });
          await onStep?.({ ...step, isCached: velocity.takeCachedFlag() });
        },
      });
    } finally {
      velocity.dispose();
    }
  });
}

/** The DiT as a velocity model, with one step cache for each guidance branch. */
class VelocityNetwork {
  private readonly dit: Dit;
  private readonly inputs: SectionInputs;
  private readonly options: SectionOptions;
  private readonly contextFrames: readonly ContextFrames[];
  private readonly caches = new Map<GuidanceBranch, StepCache>();
  private numSkipped = 0;

  constructor(dit: Dit, inputs: SectionInputs, options: SectionOptions) {
    this.dit = dit;
    this.inputs = inputs;
    this.options = options;
    this.contextFrames = contextFrames(inputs.plan, inputs.history);
  }

  readonly model: VelocityModel = ({ x, timestep, branch }) =>
    scope(async () => {
      const { image, plan, settings, text } = this.inputs;
      const conditions = text[branch === 'positive' ? 0 : 1]!;
      const call: DitInputs = {
        frames: {
          context: this.contextFrames,
          target: { latents: x, frameIndices: plan.targetIndices },
        },
        timestep,
        guidance: conditioningNumber(settings.guidance, this.options.dtype),
        text: conditions.text,
        pooled: conditions.pooled,
        image: image.image,
      };
      const embedding = this.dit.embed(call);
      return this.dit.head(await this.runBlocks(embedding, branch), embedding);
    });

  /** Whether the blocks were skipped since the last call. */
  takeCachedFlag(): boolean {
    const total = [...this.caches.values()].reduce((sum, cache) => sum + cache.numSkipped, 0);
    const isCached = total > this.numSkipped;
    this.numSkipped = total;
    return isCached;
  }

  dispose(): void {
    for (const cache of this.caches.values()) cache[Symbol.dispose]();
  }

  private runBlocks(embedding: DitEmbedding, branch: GuidanceBranch): Promise<Tensor> {
    const { dit } = this;
    const pacing = this.options.pace && { pace: this.options.pace };
    const blocks = (): Promise<Tensor> => dit.blocks(embedding, { ...pacing });
    const cache = this.cacheOf(branch);
    if (cache === null) return blocks();
    return cache.run({
      input: embedding.image,
      modulated: () => dit.modulatedInput(embedding),
      blocks,
      firstBlock: (): FirstBlock => {
        const after = dit.firstBlock(embedding);
        return { output: after.image, rest: () => dit.blocks(embedding, { ...pacing, after }) };
      },
    });
  }

  private cacheOf(branch: GuidanceBranch): StepCache | null {
    const { stepCache, sigmas } = this.inputs.settings;
    const known = this.caches.get(branch);
    if (known !== undefined || stepCache === null) return known ?? null;
    const { openCache, magRatios: ratios = null } = this.options;
    const cache =
      openCache?.(branch) ?? openStepCache(stepCache, { numSteps: sigmas.length - 1, ratios });
    this.caches.set(branch, cache);
    return cache;
  }
}

function contextFrames(plan: SectionPlan, history: History): readonly ContextFrames[] {
  return plan.context.map((group) => {
    const { frames, height, width } = group.kernel;
    return {
      kernel: [frames, height, width],
      latents: history.context(group),
      frameIndices: group.frameIndices,
    };
  });
}
