import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawScheduleSvg } from '../../../src/framepack/drawing/schedule-svg.ts';
import { findSchedule, NAMED_SCHEDULES } from '../../../src/framepack/named-schedules.ts';
import { repositoryPath } from '../../tokenizers/vocabularies.ts';

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: string;
}

/** The rectangles of a picture behind the background, with those of the legend last. */
function rectsOf(svg: string): Rect[] {
  const rects = [...svg.matchAll(/<rect ([^>]*)\/>/g)].slice(1);
  return rects.map(([, attributes]) => {
    const read = (name: string): string =>
      new RegExp(`\\b${name}="([^"]*)"`).exec(attributes!)?.[1] ?? '';
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(read(name)));
    return { x: x!, y: y!, width: width!, height: height!, fill: read('fill') };
  });
}

const draw = (text: string) => drawScheduleSvg(findSchedule(text));

describe('drawScheduleSvg', () => {
  it('puts groups side by side in time, as wide as they are long and as high as they are fine', () => {
    const [opening, section, first, second, third] = rectsOf(draw('i2v'));
    for (const rect of [opening!, section!, first!, second!, third!])
      expect(rect.y + rect.height).toBe(206);
    expect(section!.width / first!.width).toBeCloseTo(9, 2);
    expect(third!.width / second!.width).toBeCloseTo(8, 2);
    expect(section!.x).toBeGreaterThan(opening!.x + opening!.width + 40);
    expect(first!.x).toBeCloseTo(section!.x + section!.width, 1);
    expect(second!.x).toBeCloseTo(first!.x + first!.width, 1);
    expect([opening!.height, section!.height, first!.height]).toEqual([150, 150, 150]);
    expect(second!.height).toBeLessThan(150);
    expect(third!.height).toBeLessThan(second!.height);
    expect(new Set([opening!, section!, first!].map(({ fill }) => fill)).size).toBe(3);
  });

  it('parts a group where tokens end', () => {
    // 16 frames by 4 are four cells with three lines between; nine frames by one have eight.
    const cuts = [...draw('i2v').matchAll(/<path d="((?:M[\d. ]+V\d+)+)"/g)];
    expect(cuts.map(([, path]) => path!.split('M').length - 1)).toEqual([8, 3]);
  });

  it('names notation, kernels and order', () => {
    const svg = draw('f1k1h4w4f1k1_g2');
    for (const text of ['f1k1h4w4f1k1_g2', '>k1h4w4<', '>k1<', 'follow each other in time']) {
      expect(svg).toContain(text);
    }
    expect(draw('g2_f1k1')).toContain('from the end to the start');
  });
});

describe('the pictures of the documentation', () => {
  it.each(Object.keys(NAMED_SCHEDULES))('%s is what is drawn', async (name) => {
    await expect(draw(name)).toMatchFileSnapshot(`../../../docs/schedules/${name}.svg`);
  });

  it('are those of the named schedules', () => {
    const files = readdirSync(repositoryPath('docs/schedules'));
    expect(files.toSorted()).toEqual(
      Object.keys(NAMED_SCHEDULES)
        .map((name) => `${name}.svg`)
        .toSorted(),
    );
  });
});
