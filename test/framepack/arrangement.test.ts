import { describe, expect, it } from 'vitest';
import { arrangeSchedule } from '../../src/framepack/arrangement.ts';
import { type PackingSchedule, parseSchedule } from '../../src/framepack/packing.ts';

const arrange = (text: string) => arrangeSchedule(parseSchedule(text));
const rolesOf = (text: string) => arrange(text).parts.map(({ role }) => role);

describe('arrangeSchedule', () => {
  it.each([
    ['f1k1_x_g9_f1k1f2k2f16k4_td', 'inverted', ['opening', 'gap', 'section', 'history']],
    ['f1k1_g9_f1k1', 'inverted', ['opening', 'section', 'history']],
    ['g18_f1k1', 'inverted', ['section', 'history']],
    ['f1k1_td_f16k4f2k2f1k1_g9', 'vanilla', ['opening', 'history', 'section']],
    ['f7k1_x_f1k1_g1', 'vanilla', ['opening', 'gap', 'history', 'section']],
    ['f1k1_x_g4', 'vanilla', ['opening', 'gap', 'section']],
    ['td_f1k8h16w32_g9', 'vanilla', ['history', 'section']],
    ['g9', 'vanilla', ['section']],
  ])('reads %s as %s: %j', (text, order, roles) => {
    expect(arrange(text)).toMatchObject({
      order,
      latentWindowSize: Number(/g(\d+)/.exec(text)![1]),
    });
    expect(rolesOf(text)).toEqual(roles);
  });

  it.each([
    ['f1k1_x_f2k1_x_f1k1_g9', 'ERR_ARGUMENT', /on each side of gN .* got f1k1_x_f2k1_x_f1k1_g9$/],
    ['x_f1k1_g9', 'ERR_ARGUMENT', /on each side of gN/],
    ['g9_x', 'ERR_ARGUMENT', /on each side of gN/],
    ['td_f16k4f4k2f1k1_g9_x_f1k1', 'ERR_UNSUPPORTED', /endpoint order/],
    ['f1k1_x_f1k1_g9_f1k1', 'ERR_UNSUPPORTED', /not both/],
    ['f2k1_g9_f1k1', 'ERR_UNSUPPORTED', /nothing but the picture/],
    ['f2k1_x_g9_f1k1', 'ERR_UNSUPPORTED', /nothing but the picture/],
    ['ta_f1k1_g9', 'ERR_UNSUPPORTED', /the tail td or none/],
    ['g9_f1k1_tc', 'ERR_UNSUPPORTED', /the tail td or none/],
    ['f1k1h3w2_g9', 'ERR_UNSUPPORTED', /whole patches 1x2x2/],
    ['f65k65_g9', 'ERR_UNSUPPORTED', /at most 64/],
  ])('refuses %s with %s', (text, code, message) => {
    expect(() => arrange(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it.each([
    [undefined],
    [null],
    ['f1k1_g9'],
    [{ parts: [] }],
    [{ parts: [{ kind: 'generate', numFrames: -1 }] }],
    [
      {
        parts: [
          { kind: 'generate', numFrames: 9 },
          { kind: 'context', groups: [], tail: null },
        ],
      },
    ],
  ])('refuses %j, which is no schedule', (schedule) => {
    expect(() => arrangeSchedule(schedule as unknown as PackingSchedule)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});
