import { describe, expect, it } from 'vitest';
import { blocksOf, levelOf, levelsOf } from '../../../src/framepack/drawing/blocks.ts';
import { findSchedule } from '../../../src/framepack/named-schedules.ts';
import { cubicKernel } from '../../../src/framepack/packing.ts';

describe('blocksOf', () => {
  it('lists groups and gaps in time order', () => {
    const blocks = blocksOf(findSchedule('f2k2_x_f4k4f1k1_g3'));
    expect(blocks.map(({ role, numFrames, kernel }) => [role, numFrames, kernel.frames])).toEqual([
      ['opening', 2, 2],
      ['gap', 0, 1],
      ['history', 4, 4],
      ['history', 1, 1],
      ['section', 3, 1],
    ]);
  });
});

describe('levels', () => {
  it('say how often the tokens of a frame are halved', () => {
    expect([1, 2, 4, 8, 16].map((level) => levelOf(cubicKernel(level)).halvings)).toEqual([
      ...[0, 3, 6, 9, 12],
    ]);
    expect(levelOf({ frames: 1, height: 2, width: 4 })).toEqual({ name: 'k1h2w4', halvings: 1 });
  });

  it('of a schedule come finest first, each once', () => {
    const names = (text: string) => levelsOf(blocksOf(findSchedule(text))).map(({ name }) => name);
    expect(names('symmetric')).toEqual(['k1', 'k2', 'k4']);
    expect(names('f1k1h4w4f1k8_g1')).toEqual(['k1', 'k1h4w4', 'k8']);
  });
});
