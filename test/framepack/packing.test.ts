import { describe, expect, it } from 'vitest';
import {
  countTokens,
  cubicKernel,
  type FrameGroup,
  formatSchedule,
  parseSchedule,
} from '../../src/framepack/packing.ts';

/** All context groups of a schedule, in time order. */
function groupsOf(text: string): readonly FrameGroup[] {
  return parseSchedule(text).parts.flatMap((part) => (part.kind === 'context' ? part.groups : []));
}

describe('parseSchedule', () => {
  it('reads the released inverted schedule', () => {
    expect(parseSchedule('f1k1_x_g9_f1k1f2k2f16k4_td')).toEqual({
      isDiscretized: false,
      parts: [
        { kind: 'context', groups: [{ numFrames: 1, kernel: cubicKernel(1) }], tail: null },
        { kind: 'skip' },
        { kind: 'generate', numFrames: 9 },
        {
          kind: 'context',
          groups: [
            { numFrames: 1, kernel: cubicKernel(1) },
            { numFrames: 2, kernel: cubicKernel(2) },
            { numFrames: 16, kernel: cubicKernel(4) },
          ],
          tail: 'delete',
        },
      ],
    });
  });

  it('puts a tail on the old side of the history', () => {
    const tails = (text: string) =>
      parseSchedule(text).parts.map((part) => (part.kind === 'context' ? part.tail : part.kind));
    expect(tails('f1k1_ta_f16k4f1k1_g9')).toEqual([null, 'append', 'generate']);
    expect(tails('g9_f1k1f16k4_tc_x_f1k1')).toEqual(['generate', 'compress', 'skip', null]);
  });

  it('spells kernels out', () => {
    expect(cubicKernel(4)).toEqual({ frames: 4, height: 8, width: 8 });
    expect(groupsOf('f3k1h2w4_g1')).toEqual([
      { numFrames: 3, kernel: { frames: 1, height: 2, width: 4 } },
    ]);
  });

  it.each([
    'td_f16k4f4k2f1k1_g9',
    'td_f16k4f4k2f1k1_g9+D',
    'td_f16k4f4k2f1k1_g9_x_f1k1',
    'f1k1_x_g9_f1k1f4k2f16k4_td',
    'f1k1_td_f16k4f2k2f1k1_g9',
    'ta_f4k1h4w8f1k1_g4',
    'g1_f1k1_tc',
  ])('writes %s as it was read', (text) => {
    expect(formatSchedule(parseSchedule(text))).toBe(text);
  });

  it('reads a small d as well', () => {
    expect(parseSchedule('f1k1_g9+d').isDiscretized).toBe(true);
  });
});

describe('mistakes in the notation', () => {
  it.each([
    ['', 0, 'f, g, x, td, ta or tc, got ""'],
    ['f1k1', 4, 'one part gN, got ""'],
    ['g9_g9', 3, 'one part gN, got "g9"'],
    ['f1_g9', 0, 'groups such as f16k4, got "f1"'],
    ['f1k1f2_g9', 4, 'groups such as f16k4, got "f2"'],
    ['f1k1h2_g9', 4, 'groups such as f16k4, got "h2"'],
    ['g0', 1, 'a whole number from 1 to 300000, got "0"'],
    ['f0k1_g9', 1, 'a whole number from 1 to 300000, got "0"'],
    ['f01k1_g9', 1, 'a whole number from 1 to 300000, got "01"'],
    ['f1k1f1k1h0w2_g9', 9, 'a whole number from 1 to 300000, got "0"'],
    ['f99999999999999999999k1_g9', 1, 'a whole number from 1 to 300000'],
    ['f1k1_g300001', 6, 'a whole number from 1 to 300000, got "300001"'],
    ['td_g9', 3, 'frames behind a tail, got "g9"'],
    ['td_td_f16k4f2k2f1k1_g9', 3, 'frames behind a tail, got "td"'],
    ['g9_td', 3, 'frames before a tail, got "td"'],
    ['g9_f1k1_td_tc', 11, 'one tail, got "tc"'],
    ['f1k1__g9', 5, 'f, g, x, td, ta or tc, got ""'],
    ['y_g9', 0, 'f, g, x, td, ta or tc, got "y"'],
    ['constructor_g9', 0, 'f, g, x, td, ta or tc, got "constructor"'],
    ['g9+D+D', 0, 'f, g, x, td, ta or tc, got "g9+D"'],
  ])('refuses %j and points at character %i', (text, position, message) => {
    expect(() => parseSchedule(text)).toThrow(message);
    expect(() => parseSchedule(text)).toThrow(`at character ${position + 1} of "${text}"`);
    expect(() => parseSchedule(text)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', details: { text, position } }),
    );
  });

  it.each([undefined, null, 9, {}])('refuses %s, which is no text', (value) => {
    expect(() => parseSchedule(value as never)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('countTokens', () => {
  it.each([
    ['f1k1', 1, 1560, 960],
    ['f16k4f2k2f1k1', 19, 2366, 1440],
    ['f1k1f16k4f2k2f1k1', 20, 3926, 2400],
    ['f16k4f4k2f1k1', 21, 2756, 1680],
    ['f8k8f4k4f2k2f1k1', 15, 2082, 1275],
    ['f32k8f16k4f2k2f1k1', 51, 2478, 1500],
    ['f64k8f16k4f2k2f1k1', 83, 2590, 1560],
    ['f512k16f64k8f16k4f2k2f1k1', 595, 2846, 1752],
    ['f16k1', 16, 24960, 15360],
  ])('of %s', (text, numFrames, at480p, at384p) => {
    const groups = groupsOf(`${text}_g9`);
    expect(groups.reduce((sum, group) => sum + group.numFrames, 0)).toBe(numFrames);
    expect(countTokens(groups, 60, 104)).toBe(at480p);
    expect(countTokens(groups, 48, 80)).toBe(at384p);
  });

  it('of the released model at every official size', () => {
    const context = groupsOf('f1k1_x_g9_f1k1f2k2f16k4_td');
    const target = [{ numFrames: 9, kernel: cubicKernel(1) }];
    const sizes = [
      [52, 120, 17970],
      [56, 108, 17402],
      [60, 104, 17966],
      [64, 96, 17664],
      [68, 88, 17226],
      [72, 84, 17406],
      [76, 80, 17500],
    ] as const;
    for (const [height, width, numTokens] of sizes) {
      expect(countTokens([...context, ...target], height, width)).toBe(numTokens);
      expect(countTokens([...context, ...target], width, height)).toBe(numTokens);
    }
  });
});
