import { expect, it } from 'vitest';
import { drawScheduleText } from '../../../src/framepack/drawing/schedule-text.ts';
import { findSchedule } from '../../../src/framepack/named-schedules.ts';

const draw = (text: string) => drawScheduleText(findSchedule(text)).split('\n');

it('draws time to the right and fine kernels high', () => {
  expect(draw('i2v')).toEqual([
    'k1 ▓▓   █████████▒▒',
    'k2 ▓▓   █████████▒▒▒▒',
    'k4 ▓▓~~~█████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒',
    '   1 x  9        1 2 16',
    '   ▓ opening  ~ gap  █ section  ▒ history; time runs to the right',
  ]);
});

it('makes room for the names of kernels', () => {
  expect(draw('f3k1h4w4f1k1_g2')).toEqual([
    'k1        ▒▒██',
    'k1h4w4 ▒▒▒▒▒██',
    '       3  1 2',
    '       ▒ history  █ section; time runs to the right',
  ]);
});

it('puts several frames in a column where there are many', () => {
  const lines = draw('f512k16f64k8f16k4f2k2f1k1_g9');
  expect(lines.at(-1)).toMatch(/; time runs to the right, 11 frames a column$/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
});
