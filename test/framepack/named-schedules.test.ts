import { describe, expect, it } from 'vitest';
import { arrangeSchedule } from '../../src/framepack/arrangement.ts';
import {
  findSchedule,
  NAMED_SCHEDULES,
  type ScheduleName,
} from '../../src/framepack/named-schedules.ts';
import { formatSchedule } from '../../src/framepack/packing.ts';
import { measureSchedule } from '../../src/framepack/schedule-size.ts';

const NAMES = Object.keys(NAMED_SCHEDULES) as ScheduleName[];

describe('NAMED_SCHEDULES', () => {
  it.each(NAMES)('has %s as the printer of the notation writes it', (name) => {
    expect(formatSchedule(findSchedule(name))).toBe(NAMED_SCHEDULES[name].notation);
    expect(arrangeSchedule(findSchedule(name)).latentWindowSize).toBe(9);
  });

  /** Tokens of each group, as shares of an uncompressed frame, at a size that every kernel divides. */
  const sharesOf = (name: ScheduleName): number[] => {
    const { groups } = measureSchedule(findSchedule(name), 1024, 1024);
    return groups
      .filter(({ kind }) => kind === 'context')
      .map(({ numTokens }) => numTokens / 64 ** 2);
  };

  it('has the five variants of figure 1, whose levels fall by powers of two', () => {
    expect(sharesOf('geometric')).toEqual([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
    expect(sharesOf('duplicated-levels')).toEqual([1 / 8, 1 / 4, 1 / 2, 1]);
    expect(sharesOf('temporal-kernel')).toEqual([1 / 256, 1 / 64, 1 / 16, 1 / 4, 1]);
    expect(sharesOf('important-start')).toEqual([1, 1 / 64, 1 / 16, 1 / 4, 1]);
    const symmetric = sharesOf('symmetric');
    expect(symmetric).toEqual([1, 1 / 4, 1 / 16, 1 / 16, 1 / 4, 1]);
    expect(symmetric).toEqual(symmetric.toReversed());
  });

  it('has square kernels of one frame in duplicated levels', () => {
    const { groups } = measureSchedule(findSchedule('duplicated-levels'), 480, 832);
    for (const { kernel } of groups) {
      expect(kernel).toMatchObject({ frames: 1, height: kernel.width });
    }
  });
});

describe('findSchedule', () => {
  it('reads notation too', () => {
    expect(formatSchedule(findSchedule('td_f1k1_g4+d'))).toBe('td_f1k1_g4+D');
  });

  it.each(['symetric', 'toString', 'x'])('names the schedules for %s', (text) => {
    expect(() => findSchedule(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: expect.stringContaining('i2v, f1, geometric, duplicated-levels'),
      }),
    );
  });

  it.each(['', undefined, 5])('refuses %j', (text) => {
    expect(() => findSchedule(text as string)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
