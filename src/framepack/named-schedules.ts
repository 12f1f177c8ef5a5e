import { FramePackError, quote } from '../errors.ts';
import { type PackingSchedule, parseSchedule } from './packing.ts';

/**
 * Which end of the video is generated first. `i2v`: sections from the end to the picture (inverted, each sees the
 * picture and what follows it); `f1`: from the picture onwards. The two need different weights.
 */
export type GenerationMode = 'i2v' | 'f1';

/** A schedule that goes by a name. */
export interface NamedSchedule {
  /** In the notation that `parseSchedule` reads. */
  readonly notation: string;
  /** One sentence of what it is. */
  readonly description: string;
}

/** Names of {@link NAMED_SCHEDULES}. */
export type ScheduleName =
  | GenerationMode
  | 'geometric'
  | 'duplicated-levels'
  | 'temporal-kernel'
  | 'important-start'
  | 'symmetric';

/**
 * Schedules by name: those of the two released models under the names of their modes, and the five variants of figure 1.
 * The text of the paper describes those five but gives no kernel frame by frame, so that the numbers are this package's
 * reading: each level has half the tokens of the one before.
 *
 * @see FramePack, arXiv 2504.12626, figure 1 and section 3.1; upstream demo_gradio.py and demo_gradio_f1.py at 97fe5db
 */
export const NAMED_SCHEDULES: Readonly<Record<ScheduleName, NamedSchedule>> = {
  i2v: {
    notation: 'f1k1_x_g9_f1k1f2k2f16k4_td',
    description: 'The released FramePack model: from the end to the picture',
  },
  f1: {
    notation: 'f1k1_td_f16k4f2k2f1k1_g9',
    description: 'The released FramePack-F1 model: from the picture onwards',
  },
  geometric: {
    notation: 'td_f1k1h8w16f1k1h8w8f1k1h4w8f1k1h4w4f1k1h2w4f1k1_g9',
    description: 'Figure 1, typical geometric progression: every older frame has half the tokens',
  },
  'duplicated-levels': {
    notation: 'td_f8k1h16w16f4k1h8w8f2k1h4w4f1k1_g9',
    description: 'Figure 1, duplicated levels: several frames a level, so that kernels stay square',
  },
  'temporal-kernel': {
    notation: 'td_f16k16f8k8f4k4f2k2f1k1_g9',
    description: 'Figure 1, temporal kernels: neighbouring frames share their tokens',
  },
  'important-start': {
    notation: 'f1k1_x_td_f8k8f4k4f2k2f1k1_g9',
    description: 'Figure 1, important start: the first frame of the video stays uncompressed',
  },
  symmetric: {
    notation: 'f1k1f2k2f4k4_x_f4k4f2k2f1k1_g9',
    description: 'Figure 1, symmetric: the beginning matters as much as what was generated last',
  },
};

/** Words of the notation hold digits or underscores; only a lone `x` does not, and it is no schedule. */
const NAME = /^[A-Za-z][A-Za-z-]*$/;

/**
 * Reads a name of {@link NAMED_SCHEDULES} or a schedule's notation.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` as `parseSchedule`, and for a word that is no name.
 */
export function findSchedule(text: string): PackingSchedule {
  if (Object.hasOwn(NAMED_SCHEDULES, text)) {
    return parseSchedule(NAMED_SCHEDULES[text as ScheduleName].notation);
  }
  if (typeof text === 'string' && NAME.test(text)) {
    const names = Object.keys(NAMED_SCHEDULES).join(', ');
    throw new FramePackError(
      'ERR_ARGUMENT',
      `findSchedule: text expected ${names} or a schedule such as td_f16k4f2k2f1k1_g9, got ${quote(text)}`,
      { text },
    );
  }
  return parseSchedule(text);
}
