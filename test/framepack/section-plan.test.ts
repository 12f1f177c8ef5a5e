import { describe, expect, it } from 'vitest';
import { videoFrames } from '../../src/framepack/frame-count.ts';
import {
  CONTEXT_FRAMES,
  type GenerationMode,
  planSections,
} from '../../src/framepack/section-plan.ts';

const plan = (mode: GenerationMode, seconds: number) =>
  planSections({ mode, seconds, fps: 30, latentWindowSize: 9 });

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('inverted sections', () => {
  it('leave a gap to the picture and see what follows', () => {
    const sections = plan('i2v', 5);
    expect(sections.map((section) => section.padding)).toEqual([3, 2, 1, 0]);
    for (const { padding, targetIndices, context } of sections) {
      const gap = 9 * padding;
      expect(targetIndices).toEqual(range(gap + 1, gap + 9));
      expect(context).toEqual({
        clean: {
          frameIndices: [0, gap + 10],
          sources: [{ from: 'start' }, { from: 'history', nearest: 0, numFrames: 1 }],
        },
        clean2x: {
          frameIndices: range(gap + 11, gap + 12),
          sources: [{ from: 'history', nearest: 1, numFrames: 2 }],
        },
        clean4x: {
          frameIndices: range(gap + 13, gap + 28),
          sources: [{ from: 'history', nearest: 3, numFrames: 16 }],
        },
      });
    }
  });

  it('agree with the indices that the golden network runs were made with', () => {
    const [, second] = plan('i2v', 5);
    expect(second?.targetIndices).toEqual(range(19, 27));
    expect(second?.context.clean.frameIndices).toEqual([0, 28]);
    expect(second?.context.clean2x.frameIndices).toEqual([29, 30]);
    expect(second?.context.clean4x.frameIndices).toEqual(range(31, 46));
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
        padding: 0,
        prependsStart: true,
        decode: { numLatents: 10, numFrames: 37, numOverlapFrames: 0 },
      },
    ]);
  });

  it('shorten their gaps in a long video', () => {
    expect(plan('i2v', 6).map((section) => section.padding)).toEqual([3, 2, 2, 1, 0]);
  });
});

describe('forward sections', () => {
  it('see the picture and the past at fixed positions', () => {
    for (const section of plan('f1', 5)) {
      expect(section.targetIndices).toEqual(range(20, 28));
      expect(section.context).toEqual({
        clean: {
          frameIndices: [0, 19],
          sources: [{ from: 'start' }, { from: 'history', nearest: 0, numFrames: 1 }],
        },
        clean2x: {
          frameIndices: [17, 18],
          sources: [{ from: 'history', nearest: 1, numFrames: 2 }],
        },
        clean4x: {
          frameIndices: range(1, 16),
          sources: [{ from: 'history', nearest: 3, numFrames: 16 }],
        },
      });
      expect(section.prependsStart).toBe(false);
      expect(section.growsAt).toBe('back');
      expect(section.padding).toBe(0);
    }
  });

  it('decode the picture with the first section', () => {
    expect(plan('f1', 3).map((section) => section.decode)).toEqual([
      { numLatents: 10, numFrames: 37, numOverlapFrames: 0 },
      { numLatents: 18, numFrames: 69, numOverlapFrames: 33 },
    ]);
  });
});

describe('planSections', () => {
  it.each(['endpoint', '', 'toString', undefined])('refuses the mode %j', (mode) => {
    expect(() => plan(mode as GenerationMode, 1)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: `planSections: mode expected i2v or f1, got ${mode}`,
      }),
    );
  });
});

describe('every plan', () => {
  it.each(['i2v', 'f1'] as const)('of %s adds up to the length of the video', (mode) => {
    for (const seconds of [0.5, 2, 3, 5, 6, 20, 60]) {
      const sections = plan(mode, seconds);
      const numFrames = sections.reduce(
        (sum, { decode }) => sum + decode.numFrames - decode.numOverlapFrames,
        0,
      );
      expect(numFrames).toBe(videoFrames(sections.length, 9));
      expect(sections.map((section) => section.sectionIndex)).toEqual([...sections.keys()]);
      expect(sections.filter((section) => section.isFirst)).toEqual([sections[0]]);
      expect(sections.filter((section) => section.isLast)).toEqual([sections.at(-1)]);
    }
  });

  it.each(['i2v', 'f1'] as const)('of %s reads history to the depth that is kept', (mode) => {
    const [first] = plan(mode, 1);
    const depths = Object.values(first!.context)
      .flatMap((group) => group.sources)
      .map((source) => (source.from === 'history' ? source.nearest + source.numFrames : 0));
    expect(Math.max(...depths)).toBe(CONTEXT_FRAMES);
  });

  it('follows the size of the window', () => {
    const [first] = planSections({ mode: 'i2v', seconds: 1, fps: 30, latentWindowSize: 5 });
    expect(first?.targetIndices).toEqual(range(6, 10));
    expect(first?.decode).toEqual({ numLatents: 5, numFrames: 17, numOverlapFrames: 0 });
  });
});
