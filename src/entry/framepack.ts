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
export { StepCache } from '../sampling/step-cache.ts';
export { type SamplingOptions, sampleUniPc } from '../sampling/unipc.ts';
