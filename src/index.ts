/**
 * The public API of framepack-node: videos from a picture and a prompt.
 *
 * @module framepack-node
 */
export { type ErrorCode, type ErrorDetails, FramePackError } from './errors.ts';
export type { HubOverrides } from './hub/hub-settings.ts';
export {
  type PullEvent,
  type PulledRepository,
  type PullFileEvent,
  type PullOptions,
  type PullPlanEvent,
  type PullProgressEvent,
  type PullRetryEvent,
  type PullWaitEvent,
  pull,
} from './hub/pull.ts';
export { type EncodeFolderOptions, encodeFolder } from './media/video/encode-folder.ts';
export { ENCODER_NAMES, type EncoderName } from './media/video/formats.ts';
export type { VideoOptions, VideoResult } from './media/video/video-writer.ts';
export { convert } from './pipeline/conversion/convert.ts';
export {
  type Conversion,
  type ConvertEvent,
  type ConvertOptions,
  type ConvertPlanEvent,
  type ConvertProgressEvent,
  FP8_SCHEMES,
} from './pipeline/conversion/convert-options.ts';
export type {
  DoneEvent,
  GenerateEvent,
  LoadEvent,
  LoraEvent,
  MemoryEstimate,
  MemoryPlan,
  MemoryReading,
  Moment,
  PlanEvent,
  Preview,
  RunDevice,
  RunStageEvent,
  SectionEvent,
  SectionStageEvent,
  Stage,
  StageEvent,
  StepEvent,
  WarningCode,
  WarningEvent,
  WriteEvent,
} from './pipeline/events.ts';
export { generate } from './pipeline/generate.ts';
export type { ComputeKind, DeviceChoice } from './pipeline/inputs/device-choice.ts';
export type { LoraChoice, LoraReport } from './pipeline/inputs/loras.ts';
export type { ResolvedSchedule } from './pipeline/inputs/schedule.ts';
export type { Seed } from './pipeline/inputs/seed.ts';
export type { StartKind } from './pipeline/inputs/start-picture.ts';
export { calibrateStepCache } from './pipeline/inspection/calibrate-step-cache.ts';
export { type ExamineOptions, examineMachine, type Finding } from './pipeline/inspection/doctor.ts';
export {
  inspectModel,
  type ModelSummary,
  type PartSummary,
} from './pipeline/inspection/inspect-model.ts';
export { inspectVideo } from './pipeline/inspection/inspect-video.ts';
export type { JobResult } from './pipeline/jobs/job-files.ts';
export { type Job, readJob } from './pipeline/jobs/read-job.ts';
export { type ResumeOptions, resume } from './pipeline/jobs/resume.ts';
export type { StoredLora, VideoMetadata } from './pipeline/metadata/video-metadata.ts';
export type { ModelParts } from './pipeline/model/locate/part-fields.ts';
export { load, type Model, type SectionFrames } from './pipeline/model/model.ts';
export { type EstimateOptions, estimate } from './pipeline/planning/estimate.ts';
export type { RunEstimate, StageEstimate } from './pipeline/planning/run-estimate.ts';
export type { StageName } from './pipeline/planning/stage-recorder.ts';
export { ASSUMED_DEVICES, type AssumedDevice } from './pipeline/planning/timing/assumed-devices.ts';
export type { DeviceRates } from './pipeline/planning/timing/device-rates.ts';
export type {
  Choice,
  GenerateRequest,
  LoadOptions,
  ResolvedRequest,
  StepCacheChoice,
  VideoRequest,
} from './pipeline/request.ts';
export type { Placement, Placements } from './pipeline/residency.ts';
export type { StepCacheKind } from './sampling/step-cache/open-step-cache.ts';
export {
  Device,
  type DeviceDescription,
  type DeviceOptions,
  type MemoryStats,
} from './tensor/device.ts';
export type { WorkClass, WorkKind } from './tensor/work/work-meter.ts';
