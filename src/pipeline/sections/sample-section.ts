import type { History } from '../../framepack/history.ts';
import type { SectionPlan } from '../../framepack/section-plan.ts';
import type { Dit, DitEmbedding, DitInputs } from '../../models/dit/dit.ts';
import type { ContextFrames } from '../../models/dit/packed-context.ts';
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
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { assertFinite } from '../checks/finite.ts';
import type { ImageConditions, TextConditions } from '../encode-conditions.ts';
import type { RunContext } from '../run-context.ts';

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

/**
 * Samples the latents of one section.
 *
 * @returns `[1, C, T, H, W]` f32, owned by the current scope.
 * @throws {@link FramePackError} `ERR_NUMERIC` when a prediction is not finite, `ERR_ABORTED`.
 */
export async function sampleSection(
  context: RunContext,
  dit: Dit,
  inputs: SectionInputs,
  onStep: (step: SectionStep) => Promise<void>,
): Promise<Tensor<'f32'>> {
  const { settings, plan, noise } = inputs;
  const origin = {
    ...({ stage: 'sample', network: 'transformer' } as const),
    ...{ dtype: context.dtype, section: plan.sectionIndex },
  };
  return scope(async () => {
    const velocity = new VelocityNetwork(context, dit, inputs);
    try {
      const denoise = flowDenoiser(velocity.model, {
        dtype: context.dtype,
        cfg: settings.cfg,
        guidanceRescale: settings.guidanceRescale,
      });
      return await sampleUniPc(denoise, noise, {
        sigmas: settings.sigmas,
        ...(context.signal && { signal: context.signal }),
        onStep: async (step) => {
          await assertFinite(step.x0, { ...origin, step: step.stepIndex });
          await onStep({ ...step, isCached: velocity.takeCachedFlag() });
        },
      });
    } finally {
      velocity.dispose();
    }
  });
}

/** The DiT as a velocity model, with one step cache for each guidance branch. */
class VelocityNetwork {
  private readonly context: RunContext;
  private readonly dit: Dit;
  private readonly inputs: SectionInputs;
  private readonly contextFrames: readonly ContextFrames[];
  private readonly caches = new Map<GuidanceBranch, StepCache>();
  private numSkipped = 0;

  constructor(context: RunContext, dit: Dit, inputs: SectionInputs) {
    this.context = context;
    this.dit = dit;
    this.inputs = inputs;
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
        guidance: conditioningNumber(settings.guidance, this.context.dtype),
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
    const { pace } = this.context;
    const blocks = (): Promise<Tensor> => dit.blocks(embedding, { pace });
    const cache = this.cacheOf(branch);
    if (cache === null) return blocks();
    return cache.run({
      input: embedding.image,
      modulated: () => dit.modulatedInput(embedding),
      blocks,
      firstBlock: (): FirstBlock => {
        const after = dit.firstBlock(embedding);
        return { output: after.image, rest: () => dit.blocks(embedding, { pace, after }) };
      },
    });
  }

  private cacheOf(branch: GuidanceBranch): StepCache | null {
    const { stepCache, sigmas } = this.inputs.settings;
    const known = this.caches.get(branch);
    if (known !== undefined || stepCache === null) return known ?? null;
    const { observer, info } = this.context;
    const cache =
      observer?.stepCache?.(this.inputs.plan.sectionIndex, branch) ??
      openStepCache(stepCache, { numSteps: sigmas.length - 1, ratios: info.magRatios });
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
