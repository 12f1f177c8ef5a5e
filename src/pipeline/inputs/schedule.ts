import { FramePackError } from '../../errors.ts';
import { arrangeSchedule } from '../../framepack/arrangement.ts';
import {
  findSchedule,
  type GenerationMode,
  NAMED_SCHEDULES,
} from '../../framepack/named-schedules.ts';
import { formatSchedule, type PackingSchedule } from '../../framepack/packing.ts';
import { countFrames } from '../../framepack/section-plan.ts';
import { type CheckpointInfo, SETTING_RANGES } from '../../weights/checkpoint-info.ts';
import type { VideoRequest } from '../request.ts';

/** Latent frames that are kept on the device for context: about 0.8 GB at 480x832. */
const MAX_CONTEXT_FRAMES = 2048;

/** The schedule of a run, and what follows from it. */
export interface ResolvedSchedule {
  readonly mode: GenerationMode;
  /** In the notation of `parseSchedule`. */
  readonly schedule: string;
  /** Latent frames that one section adds. */
  readonly latentWindowSize: number;
}

/**
 * The schedule that a request asks for: its own, else that of its mode with its window or the checkpoint's.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for a schedule that cannot be read or contradicts another field, for
 * more frames than a run keeps, and when neither the request nor the checkpoint tells the mode; `ERR_UNSUPPORTED` for one that cannot be sampled, and for a mode that the checkpoint was
 * not trained for.
 */
export function resolveSchedule(
  { schedule: asked, mode, latentWindowSize: window }: VideoRequest,
  info: CheckpointInfo,
): ResolvedSchedule {
  if (asked === undefined) {
    const chosen = modeOf(mode, info);
    const latentWindowSize = window ?? info.latentWindowSize;
    return { mode: chosen, schedule: releasedSchedule(chosen, latentWindowSize), latentWindowSize };
  }
  const schedule = findSchedule(asked);
  const { order, latentWindowSize, parts } = arrangeSchedule(schedule);
  const ownMode = order === 'inverted' ? 'i2v' : 'f1';
  const notation = formatSchedule(schedule);
  const numContext = parts.reduce(
    (sum, part) => ('groups' in part ? sum + countFrames(part.groups) : sum),
    0,
  );
  const { maxLatentWindowSize } = SETTING_RANGES;
  const faults: [isFault: boolean, field: string, expected: string, got: unknown][] = [
    [mode !== undefined && mode !== ownMode, 'mode', `${ownMode} with this schedule`, mode],
    [
      window !== undefined && window !== latentWindowSize,
      ...(['latentWindowSize', `${latentWindowSize} as in the schedule`, window] as const),
    ],
    [
      latentWindowSize > maxLatentWindowSize,
      ...(['schedule', `g1 to g${maxLatentWindowSize}`, notation] as const),
    ],
    [
      numContext > MAX_CONTEXT_FRAMES,
      ...(['schedule', `at most ${MAX_CONTEXT_FRAMES} frames of context`, numContext] as const),
    ],
  ];
  for (const [isFault, field, expected, got] of faults) {
    if (!isFault) continue;
    const message = `generate: ${field} expected ${expected}, got ${got}`;
    throw new FramePackError('ERR_ARGUMENT', message, { field });
  }
  if (schedule.isDiscretized) {
    throw new FramePackError(
      'ERR_UNSUPPORTED',
      `generate: schedule expected no +D, which needs a codebook of the model's latents, got ${notation}`,
      { field: 'schedule' },
    );
  }
  return { mode: ownMode, schedule: notation, latentWindowSize };
}

/** The mode that was asked for, else the checkpoint's. */
function modeOf(
  asked: GenerationMode | undefined,
  { modes, defaults, name }: CheckpointInfo,
): GenerationMode {
  const mode = asked ?? defaults.mode;
  if (mode === null) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `generate: mode expected ${modes.join(' or ')}, got none: neither names nor metadata of the weights say which they ` +
        'were trained for, and the other makes no video; f1 is right for files made of FramePack_F1_I2V_HY, i2v for ' +
        'those of FramePackI2V_HY',
      { field: 'mode' },
    );
  }
  if (modes.includes(mode)) return mode;
  throw new FramePackError(
    'ERR_UNSUPPORTED',
    `generate: mode expected ${modes.join(' or ')} for ${name}, got ${mode}`,
  );
}

/** Whether a checkpoint was trained with a schedule. */
export function isTrainedSchedule(
  { mode, schedule }: Pick<ResolvedSchedule, 'mode' | 'schedule'>,
  { modes, latentWindowSize }: CheckpointInfo,
): boolean {
  return modes.includes(mode) && schedule === releasedSchedule(mode, latentWindowSize);
}

/** The schedule of a released model with windows of so many latent frames. */
export function releasedSchedule(mode: GenerationMode, numFrames: number): string {
  const { parts, ...schedule } = findSchedule(NAMED_SCHEDULES[mode].notation);
  const resized: PackingSchedule = {
    ...schedule,
    parts: parts.map((part) => (part.kind === 'generate' ? { ...part, numFrames } : part)),
  };
  return formatSchedule(resized);
}
