import { describe, expect, it } from 'vitest';
import { findScales, isScaleName, scaleLayout } from '../../src/weights/scaled-weight.ts';

describe('scaleLayout', () => {
  const weight = [256, 128];

  it.each([
    [[], 'tensor', [1]],
    [[1], 'tensor', [1]],
    [[256], 'channel', [256]],
    [[256, 1], 'channel', [256]],
    [[256, 2, 1], 'block64', [256, 2]],
    [[256, 2], 'block64', [256, 2]],
  ] as const)('reads scales %j as one per %s', (stored, mode, shape) => {
    expect(scaleLayout(stored, weight, 'x')).toEqual({ mode, shape });
  });

  it('tells rows from the tensor when there is one row', () => {
    expect(scaleLayout([1, 1], [1, 128], 'x')).toEqual({ mode: 'channel', shape: [1] });
    expect(scaleLayout([1], [1, 128], 'x')).toEqual({ mode: 'tensor', shape: [1] });
  });

  it.each([[[255, 1]], [[128]], [[256, 3, 1]], [[256, 2, 2]], [[2, 256]], [[1, 1]]])(
    'refuses scales %j',
    (stored) => {
      expect(() => scaleLayout(stored, weight, 'to_q.scale_weight')).toThrow(
        'scale to_q.scale_weight expected one value or [256, 1] or [256, 2, 1]',
      );
    },
  );

  it('has no blocks where 64 does not divide the columns', () => {
    expect(() => scaleLayout([256, 2, 1], [256, 100], 'x')).toThrow(
      'expected one value or [256, 1]',
    );
  });
});

describe('findScales', () => {
  const source = (names: readonly string[], storedType = 'F8_E4M3') => ({
    has: (name: string) => names.includes(name),
    entryOf: (name: string) => ({
      ...{ name, storedType, dtype: null, shape: [], byteOffset: 0, byteLength: 0 },
    }),
  });

  it('finds them beside their tensor, with what else stands there', () => {
    const names = ['a.weight', 'a.scale_weight', 'a.scale_input', 'b.scale_weight'];
    expect(findScales(source(names), 'a.weight')).toEqual({
      scale: 'a.scale_weight',
      noted: ['a.scale_input'],
    });
    expect(findScales(source(['a.in_proj', 'a.in_proj_scale']), 'a.in_proj')).toEqual({
      scale: 'a.in_proj_scale',
      noted: [],
    });
    expect(findScales(source(['a.weight', 'a.scale_input']), 'a.weight')).toBeNull();
  });
});

describe('isScaleName', () => {
  it.each([
    ['a.scale_weight', true],
    ['a.weight_scale_inv', true],
    ['a.weight.SCALE', true],
    ['scale.weight', false],
    ['a.weight', false],
  ])('%s: %s', (name, expected) => expect(isScaleName(name)).toBe(expected));
});
