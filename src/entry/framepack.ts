/** `framepack-node/framepack`: the paper as data, and the samplers. */
export { countSections, videoFrames } from '../framepack/frame-count.ts';
export { History } from '../framepack/history.ts';
export {
  countTokens,
  formatSchedule,
  type PackingSchedule,
  parseSchedule,
} from '../framepack/packing.ts';
export { type GenerationMode, planSections, type SectionPlan } from '../framepack/section-plan.ts';
export { softAppend } from '../framepack/soft-append.ts';
export { type Denoiser, flowDenoiser, type VelocityModel } from '../sampling/denoiser.ts';
export { flowShiftMu, sigmaSchedule } from '../sampling/schedule.ts';
export { FirstBlockCache } from '../sampling/step-cache/first-block-cache.ts';
export { MagCache } from '../sampling/step-cache/mag-cache.ts';
export { MAG_CACHE_RULES, type MagScheduleOptions } from '../sampling/step-cache/mag-schedule.ts';
export type { FirstBlock, StepCache, StepCacheCall } from '../sampling/step-cache/step-cache.ts';
export { TeaCache, type TeaCacheOptions } from '../sampling/step-cache/tea-cache.ts';
export { type SamplingOptions, sampleUniPc } from '../sampling/unipc.ts';
