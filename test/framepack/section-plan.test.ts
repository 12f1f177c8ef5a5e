import { describe, expect, it } from 'vitest';
import { videoFrames } from '../../src/framepack/frame-count.ts';
import { findSchedule } from '../../src/framepack/named-schedules.ts';
import { planSections, type SectionRequest } from '../../src/framepack/section-plan.ts';

const plan = (schedule: string, seconds: number) =>
  planSections({ schedule: findSchedule(schedule), seconds, fps: 30 });
const [K1, K2, K4] = [1, 2, 4].map((level) => ({
  ...{ frames: level, height: 2 * level, width: 2 * level },
}));

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('inverted sections', () => {
  it('leave a gap to the picture and see what follows', () => {
    const sections = plan('i2v', 5);
    expect(sections.map((section) => section.gapFrames)).toEqual([27, 18, 9, 0]);
    for (const { gapFrames: gap, targetIndices, context } of sections) {
      expect(targetIndices).toEqual(range(gap + 1, gap + 9));
      expect(context).toEqual([
        {
          kernel: K4,
          frameIndices: range(gap + 13, gap + 28),
          source: { from: 'history', nearest: 3, numFrames: 16 },
        },
        {
          kernel: K2,
          frameIndices: range(gap + 11, gap + 12),
          source: { from: 'history', nearest: 1, numFrames: 2 },
        },
        {
          kernel: K1,
          frameIndices: [0],
          source: { from: 'start', first: 0, numFrames: 1 },
        },
        {
          kernel: K1,
          frameIndices: [gap + 10],
          source: { from: 'history', nearest: 0, numFrames: 1 },
        },
      ]);
    }
  });

  it('agree with the indices that the golden network runs were made with', () => {
    const [, second] = plan('i2v', 5);
    expect(second?.targetIndices).toEqual(range(19, 27));
    expect(second?.context.map((group) => group.frameIndices)).toEqual([
      ...[range(31, 46), [29, 30], [0], [28]],
    ]);
  });

  it('join at the front, the last one with the picture before it', () => {
    const sections = plan('i2v', 5);
    expect(sections.map((section) => section.growsAt)).toEqual(Array(4).fill('front'));
    expect(sections.map((section) => section.prependsStart)).toEqual([false, false, false, true]);
    expect(sections.map((section) => section.decode)).toEqual([
      { numLatents: 9, numFrames: 33, numOverlapFrames: 0 },
      { numLatents: 18, numFrames: 69, numOverlapFrames: 33 },
      { numLatents: 18, numFrames: 69, numOverlapFrames: 33 },
      { numLatents: 19, numFrames: 73, numOverlapFrames: 33 },
    ]);
  });

  it('may be a single one, first and last', () => {
    expect(plan('i2v', 1)).toMatchObject([
      {
        isFirst: true,
        isLast: true,
        gapFrames: 0,
        prependsStart: true,
        decode: { numLatents: 10, numFrames: 37, numOverlapFrames: 0 },
      },
    ]);
  });

  it('shorten their gaps in a long video', () => {
    expect(plan('i2v', 6).map((section) => section.gapFrames)).toEqual([27, 18, 18, 9, 0]);
  });
});

describe('forward sections', () => {
  it('see the picture and the past at fixed positions', () => {
    for (const section of plan('f1', 5)) {
      expect(section.targetIndices).toEqual(range(20, 28));
      expect(section.context).toEqual([
        {
          kernel: K4,
          frameIndices: range(1, 16),
          source: { from: 'history', nearest: 3, numFrames: 16 },
        },
        {
          kernel: K2,
          frameIndices: [17, 18],
          source: { from: 'history', nearest: 1, numFrames: 2 },
        },
        { kernel: K1, frameIndices: [0], source: { from: 'start', first: 0, numFrames: 1 } },
        {
          kernel: K1,
          frameIndices: [19],
          source: { from: 'history', nearest: 0, numFrames: 1 },
        },
      ]);
      expect(section.prependsStart).toBe(false);
      expect(section.growsAt).toBe('back');
      expect(section.gapFrames).toBe(0);
    }
  });

  it('decode the picture with the first section', () => {
    expect(plan('f1', 3).map((section) => section.decode)).toEqual([
      { numLatents: 10, numFrames: 37, numOverlapFrames: 0 },
      { numLatents: 18, numFrames: 69, numOverlapFrames: 33 },
    ]);
  });
});

describe('a schedule of any kind', () => {
  it('skips what it does not see of a vanilla video, at true distances', () => {
    const sections = plan('f2k1_x_f4k2f1k1_g9', 6);
    // The picture and the sections before, without the 7 frames that are seen.
    expect(sections.map(({ gapFrames }) => gapFrames)).toEqual([0, 3, 12, 21, 30]);
    const { targetIndices, context } = sections.at(-1)!;
    expect(targetIndices).toEqual(range(37, 45));
    expect(context.map(({ frameIndices }) => frameIndices)).toEqual([range(32, 35), [0, 1], [36]]);
    expect(context.map(({ source }) => source)).toEqual([
      { from: 'history', nearest: 1, numFrames: 4 },
      { from: 'start', first: 0, numFrames: 2 },
      { from: 'history', nearest: 0, numFrames: 1 },
    ]);
  });

  it('orders tokens by the volume of their kernels, in time within equal ones', () => {
    const [section] = plan('f1k1_f1k1h4w4f2k1h2w4f2k2f8k8f1k1_g4', 1);
    expect(section!.context.map(({ kernel, frameIndices }) => [kernel, frameIndices[0]])).toEqual([
      [{ frames: 8, height: 16, width: 16 }, 6],
      [{ frames: 2, height: 4, width: 4 }, 4],
      [{ frames: 1, height: 4, width: 4 }, 1],
      [{ frames: 1, height: 2, width: 4 }, 2],
      [K1, 0],
      [K1, 14],
    ]);
  });

  it.each([
    ['g1_f1k1', 1, 8, { numLatents: 1, numFrames: 1, numOverlapFrames: 0 }],
    ['f1k1_g4', 4, 2, { numLatents: 5, numFrames: 17, numOverlapFrames: 0 }],
    ['f1k1_g18', 18, 1, { numLatents: 19, numFrames: 73, numOverlapFrames: 0 }],
  ])('%s makes sections of %i latent frames', (text, numLatents, numSections, decode) => {
    const sections = plan(text, 1);
    expect(sections).toHaveLength(numSections);
    expect(sections[0]!.targetIndices).toHaveLength(numLatents);
    expect(sections[0]!.decode).toEqual(decode);
  });

  it('sees nothing where there is nothing but gN', () => {
    expect(plan('g9', 3).map(({ context, targetIndices }) => [context, targetIndices[0]])).toEqual([
      [[], 0],
      [[], 0],
    ]);
  });

  it.each([
    [{ mode: 'endpoint' }],
    [{ mode: 'endpoint', seconds: 1, fps: 30 }],
    [{ schedule: 'i2v', seconds: 1, fps: 30 }],
    [{ schedule: findSchedule('i2v') }],
    [{ schedule: findSchedule('i2v'), seconds: Number.NaN, fps: 30 }],
  ])('is refused with a code: %j', (request) => {
    expect(() => planSections(request as unknown as SectionRequest)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('every plan', () => {
  const SCHEDULES = [
    'i2v',
    'f1',
    'geometric',
    'symmetric',
    'f1k1_g1',
    'f1k1_x_g4_f1k1',
    'g18_f2k2',
  ];

  it.each(SCHEDULES)('of %s adds up to the length of the video', (schedule) => {
    for (const seconds of [0.5, 2, 3, 5, 6, 20, 60]) {
      const sections = plan(schedule, seconds);
      const numFrames = sections.reduce(
        (sum, { decode }) => sum + decode.numFrames - decode.numOverlapFrames,
        0,
      );
      expect(numFrames).toBe(videoFrames(sections.length, sections[0]!.targetIndices.length));
      expect(sections.map((section) => section.sectionIndex)).toEqual([...sections.keys()]);
      expect(sections.filter((section) => section.isFirst)).toEqual([sections[0]]);
      expect(sections.filter((section) => section.isLast)).toEqual([sections.at(-1)]);
    }
  });
});
