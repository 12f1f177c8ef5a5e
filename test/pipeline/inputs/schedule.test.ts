import { describe, expect, it } from 'vitest';
import { isTrainedSchedule, resolveSchedule } from '../../../src/pipeline/inputs/schedule.ts';
import type { VideoRequest } from '../../../src/pipeline/request.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

const { info } = await ModelFolder.open(TINY_MODEL);
const inverted = { ...info, modes: ['i2v'] as const };
const resolve = (request: Partial<VideoRequest>, from = info) =>
  resolveSchedule({ prompt: '', ...request }, from);

describe('resolveSchedule', () => {
  it.each([
    [{}, 'i2v', 'f1k1_x_g9_f1k1f2k2f16k4_td', 9],
    [{ mode: 'f1' }, 'f1', 'f1k1_td_f16k4f2k2f1k1_g9', 9],
    [{ latentWindowSize: 4 }, 'i2v', 'f1k1_x_g4_f1k1f2k2f16k4_td', 4],
    [{ schedule: 'f1' }, 'f1', 'f1k1_td_f16k4f2k2f1k1_g9', 9],
    [{ schedule: 'g18_f1k1', latentWindowSize: 18 }, 'i2v', 'g18_f1k1', 18],
    [{ schedule: 'td_f1k1_g1', mode: 'f1' }, 'f1', 'td_f1k1_g1', 1],
  ] as const)('makes of %j mode %s and schedule %s', (request, mode, schedule, size) => {
    expect(resolve(request)).toEqual({ mode, schedule, latentWindowSize: size });
  });

  it('runs any schedule on any checkpoint, but a mode only where it was trained', () => {
    expect(resolve({ schedule: 'f1' }, inverted).mode).toBe('f1');
    expect(() => resolve({ mode: 'f1' }, inverted)).toThrow(
      expect.objectContaining({
        code: 'ERR_UNSUPPORTED',
        message: `generate: mode expected i2v for ${info.name}, got f1`,
      }),
    );
  });

  it.each([
    [{ schedule: 'f1', mode: 'i2v' }, 'mode expected f1 with this schedule, got i2v'],
    [
      { schedule: 'f1', latentWindowSize: 4 },
      'latentWindowSize expected 9 as in the schedule, got 4',
    ],
    [{ schedule: 'f1k1_g65' }, 'schedule expected g1 to g64, got f1k1_g65'],
    [{ schedule: 'f2049k1_g9' }, 'schedule expected at most 2048 frames of context, got 2049'],
  ] as const)('refuses %j', (request, message) => {
    expect(() => resolve(request)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: `generate: ${message}` }),
    );
  });

  it.each([
    ['f1k1_g9+D', 'ERR_UNSUPPORTED', /codebook/],
    ['td_f1k1_g9_x_f1k1', 'ERR_UNSUPPORTED', /endpoint/],
    ['nothing', 'ERR_ARGUMENT', /i2v, f1, geometric/],
    ['f1k_g9', 'ERR_ARGUMENT', /character/],
  ])('refuses %s with %s', (schedule, code, message) => {
    expect(() => resolve({ schedule })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('isTrainedSchedule', () => {
  it.each([
    [{}, info, true],
    [{ schedule: 'f1' }, info, true],
    [{ schedule: 'f1' }, inverted, false],
    [{ latentWindowSize: 4 }, info, false],
    [{ schedule: 'symmetric' }, info, false],
  ] as const)('of %j', (request, from, isTrained) => {
    expect(isTrainedSchedule(resolve(request, from), from)).toBe(isTrained);
  });
});
