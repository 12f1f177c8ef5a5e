import { describe, expect, it } from 'vitest';
import { fadeWeights } from '../../src/framepack/soft-append.ts';

describe('fadeWeights', () => {
  it('rises from 0 to 1', () => {
    expect([...fadeWeights(3)]).toEqual([0, 0.5, 1]);
    expect([...fadeWeights(5)]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect([...fadeWeights(33)].slice(0, 3)).toEqual([0, 1 / 32, 2 / 32]);
  });

  it('keeps the earlier stretch where one frame overlaps', () => {
    expect([...fadeWeights(1)]).toEqual([0]);
    expect([...fadeWeights(0)]).toEqual([]);
  });
});
