import { describe, expect, it } from 'vitest';
import { findSchedule } from '../../src/framepack/named-schedules.ts';
import { planTokens } from '../../src/framepack/token-plan.ts';

const plan = (text: string, seconds: number, [height, width] = [480, 832] as const) =>
  planTokens({ schedule: findSchedule(text), seconds, fps: 30, height, width });

describe('planTokens', () => {
  it('counts the released schedule over a minute', () => {
    const { sections, ...facts } = plan('i2v', 60);
    expect(facts).toEqual({
      ...{ schedule: 'f1k1_x_g9_f1k1f2k2f16k4_td', order: 'inverted', latentWindowSize: 9 },
      ...{ height: 480, width: 832, seconds: 60, fps: 30, numFrames: 1801 },
      groups: [
        {
          role: 'opening',
          numFrames: 1,
          kernel: { frames: 1, height: 2, width: 2 },
          numTokens: 1560,
        },
        {
          role: 'section',
          numFrames: 9,
          kernel: { frames: 1, height: 2, width: 2 },
          numTokens: 14040,
        },
        {
          role: 'history',
          numFrames: 1,
          kernel: { frames: 1, height: 2, width: 2 },
          numTokens: 1560,
        },
        {
          role: 'history',
          numFrames: 2,
          kernel: { frames: 2, height: 4, width: 4 },
          numTokens: 390,
        },
        {
          role: 'history',
          numFrames: 16,
          kernel: { frames: 4, height: 8, width: 8 },
          numTokens: 416,
        },
      ],
      maxTokens: 17966,
      unpackedTokens: 451 * 1560,
    });
    expect(sections).toHaveLength(50);
    expect(sections[0]).toEqual({
      ...{
        sectionIndex: 0,
        gapFrames: 27,
        contextTokens: 3926,
        targetTokens: 14040,
        numTokens: 17966,
      },
    });
    expect(sections.at(-1)).toMatchObject({ sectionIndex: 49, gapFrames: 0, numTokens: 17966 });
  });

  it('needs no more for an hour than for a second', () => {
    for (const name of ['f1', 'symmetric', 'f512k16f64k8f16k4f2k2f1k1_g9']) {
      expect(plan(name, 3600).maxTokens).toBe(plan(name, 1).maxTokens);
    }
  });

  it('refuses a size that no patch divides', () => {
    expect(() => plan('f1', 1, [480, 830] as never)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
