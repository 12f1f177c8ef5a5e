import { describe, expect, it } from 'vitest';
import { findSchedule, NAMED_SCHEDULES } from '../../src/framepack/named-schedules.ts';
import { countTokens, parseSchedule } from '../../src/framepack/packing.ts';
import { measureSchedule } from '../../src/framepack/schedule-size.ts';
import { planSections } from '../../src/framepack/section-plan.ts';

const measure = (text: string, height = 480, width = 832) =>
  measureSchedule(parseSchedule(text), height, width);

describe('measureSchedule', () => {
  it.each([
    ['f1k1_x_g9_f1k1f2k2f16k4_td', 480, 832, 3926, 14040],
    ['f1k1_td_f16k4f2k2f1k1_g9', 384, 640, 2400, 8640],
    ['f1k1_td_f16k4f2k2f1k1_g9', 608, 640, 3820, 13680],
    ['f1k1_td_f16k4f2k2f1k1_g9', 544, 704, 3762, 13464],
    ['f1k1_td_f16k4f2k2f1k1_g9', 416, 960, 3930, 14040],
    ['f1k1_td_f16k4f2k2f1k1_g9', 720, 1280, 9080, 32400],
    ['td_f512k16f64k8f16k4f2k2f1k1_g9', 480, 832, 2846, 14040],
  ])('counts %s at %ix%i', (text, height, width, contextTokens, generatedTokens) => {
    expect(measure(text, height, width)).toMatchObject({
      contextTokens,
      generatedTokens,
      numTokens: contextTokens + generatedTokens,
    });
  });

  it.each([
    ['k1', 1, 1560],
    ['k2', 2, 390],
    ['k4', 4, 104],
    ['k8', 8, 28],
    ['k16', 16, 8],
    ['k1h2w4', 1, 780],
  ])('counts a group of kernel %s', (kernel, numFrames, numTokens) => {
    expect(measure(`f${numFrames}${kernel}_g9`).groups[0]).toMatchObject({
      kind: 'context',
      numFrames,
      numTokens,
    });
  });

  it('keeps the order of time', () => {
    const groups = measure('f1k1_x_g4_f1k1f2k2').groups;
    expect(groups.map(({ kind, numFrames, numTokens }) => [kind, numFrames, numTokens])).toEqual([
      ['context', 1, 1560],
      ['generate', 4, 6240],
      ['context', 1, 1560],
      ['context', 2, 390],
    ]);
  });

  it.each([
    [0, 832],
    [480, 830],
    [-16, 832],
    [Number.NaN, 832],
    ['480' as never, 832],
  ])('refuses the size %sx%s', (height, width) => {
    expect(() => measure('g9', height, width)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });

  it.each(['ta_f1k1_g9', 'g9_f1k1_tc'])('refuses %s, whose tail keeps older frames', (text) => {
    expect(() => measure(text)).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
  });
});

describe('the context of planned sections', () => {
  const SECONDS = [1, 2, 3, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

  it.each(Object.keys(NAMED_SCHEDULES))(
    'is bounded by the schedule %s, from 1 s to 3600 s',
    (name) => {
      const schedule = findSchedule(name);
      const { contextFrames, contextTokens } = measureSchedule(schedule, 480, 832);
      const sections = SECONDS.flatMap((seconds) => planSections({ schedule, seconds, fps: 30 }));
      expect(sections.length).toBeGreaterThan(5000);
      const distinct = (values: number[]) => [...new Set(values)];
      const lengths = sections.map(({ context }) =>
        context.reduce((sum, { frameIndices }) => sum + frameIndices.length, 0),
      );
      expect(distinct(lengths)).toEqual([contextFrames]);
      const tokens = sections.map(({ context }) =>
        context.reduce(
          (sum, { kernel, frameIndices }) =>
            sum + countTokens([{ kernel, numFrames: frameIndices.length }], 60, 104),
          0,
        ),
      );
      expect(distinct(tokens)).toEqual([contextTokens]);
    },
  );
});

/** The tables of tokens in section 2 of the paper's settings: 480x832 and 384x640. */
describe('whole schedules', () => {
  it.each([
    ['f1k1', 1, 1560, 960],
    ['f16k4f2k2f1k1', 19, 2366, 1440],
    ['f1k1_f16k4f2k2f1k1', 20, 3926, 2400],
    ['f16k4f4k2f1k1', 21, 2756, 1680],
    ['f8k8f4k4f2k2f1k1', 15, 2082, 1275],
    ['f32k8f16k4f2k2f1k1', 51, 2478, 1500],
    ['f64k8f16k4f2k2f1k1', 83, 2590, 1560],
    ['f512k16f64k8f16k4f2k2f1k1', 595, 2846, 1752],
    ['f16k1', 16, 24960, 15360],
  ])('%s has %i frames and %i or %i tokens', (groups, contextFrames, wide, small) => {
    expect(measure(`${groups}_g9`)).toMatchObject({
      ...{ contextFrames, contextTokens: wide, generatedTokens: 14040 },
    });
    expect(measure(`${groups}_g9`, 384, 640)).toMatchObject({
      ...{ contextFrames, contextTokens: small, generatedTokens: 8640 },
    });
  });
});
