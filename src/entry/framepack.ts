/**
 * The paper as data, and the samplers.
 *
 * @module framepack-node/framepack
 */
export {
  type ArrangedPart,
  type Arrangement,
  arrangeSchedule,
  type SamplingOrder,
} from '../framepack/arrangement.ts';
export { drawScheduleSvg } from '../framepack/drawing/schedule-svg.ts';
export { drawScheduleText } from '../framepack/drawing/schedule-text.ts';
export { countSections, videoFrames } from '../framepack/frame-count.ts';
export { History, type HistoryOptions } from '../framepack/history.ts';
export {
  findSchedule,
  type GenerationMode,
  NAMED_SCHEDULES,
  type NamedSchedule,
  type ScheduleName,
} from '../framepack/named-schedules.ts';
export {
  countTokens,
  type FrameGroup,
  formatKernel,
  formatSchedule,
  type PackingSchedule,
  type PatchKernel,
  parseSchedule,
  type SchedulePart,
  type Tail,
} from '../framepack/packing.ts';
export { type GroupSize, measureSchedule, type ScheduleSize } from '../framepack/schedule-size.ts';
export {
  type ContextGroup,
  type DecodePlan,
  type LatentSource,
  planSections,
  type SectionPlan,
  type SectionRequest,
} from '../framepack/section-plan.ts';
export { type Overlap, softAppend } from '../framepack/soft-append.ts';
export {
  planTokens,
  type SectionTokens,
  type TokenGroup,
  type TokenPlan,
  type TokenRequest,
} from '../framepack/token-plan.ts';
export type { ImageConditions, TextConditions } from '../pipeline/encode-conditions.ts';
export {
  type SamplerSettings,
  type SectionInputs,
  type SectionOptions,
  type SectionStep,
  sampleSection,
} from '../pipeline/sections/sample-section.ts';
export {
  type Denoiser,
  type DenoiserOptions,
  flowDenoiser,
  type GuidanceBranch,
  type VelocityCall,
  type VelocityModel,
} from '../sampling/denoiser.ts';
export { flowShiftMu, sigmaSchedule } from '../sampling/schedule.ts';
export { FirstBlockCache } from '../sampling/step-cache/first-block-cache.ts';
export { MagCache } from '../sampling/step-cache/mag-cache.ts';
export {
  MAG_CACHE_RULES,
  type MagCacheRule,
  type MagScheduleOptions,
} from '../sampling/step-cache/mag-schedule.ts';
export type { StepCacheSettings } from '../sampling/step-cache/open-step-cache.ts';
export type { FirstBlock, StepCache, StepCacheCall } from '../sampling/step-cache/step-cache.ts';
export { TeaCache, type TeaCacheOptions } from '../sampling/step-cache/tea-cache.ts';
export { type SamplingOptions, type SamplingStep, sampleUniPc } from '../sampling/unipc.ts';
export type { UniPcVariant } from '../sampling/unipc-coefficients.ts';
