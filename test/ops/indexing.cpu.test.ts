import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pad, scatter, stack, take } from '../../src/ops/indexing.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { at, generate, type HostArray, hostArray } from './host-array.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

function tensor({ shape, data }: HostArray): Tensor<'f32'> {
  return fromArray(device, data, shape, 'f32');
}

async function expectEqual(actual: Tensor, expected: HostArray): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  expect([...(await actual.readFloat32())]).toEqual([...expected.data]);
}

describe('take, stack and scatter', () => {
  const x = hostArray([2, 5, 3]);

  test('slices come in the given order', async () => {
    const positions = [4, 0, 0, 2];
    const expected = generate([2, 4, 3], ([a, b, c]) => at(x, [a!, positions[b!]!, c!]));
    await expectEqual(take(tensor(x), positions, 1), expected);
    await expectEqual(take(tensor(x), fromArray(device, positions, [4], 'i32'), -2), expected);
    expect(() => take(tensor(x), [0, 5], 1)).toThrow(
      'take: positions[1] expected a whole number in [0, 4], got 5',
    );
  });

  test('a new axis holds the stacked tensors', async () => {
    const y = hostArray([2, 5, 3], 1);
    for (const axis of [0, 1, 2, 3]) {
      const expected = generate([2, 5, 3].toSpliced(axis, 0, 2), (index) =>
        at(index[axis] === 0 ? x : y, index.toSpliced(axis, 1)),
      );
      await expectEqual(stack([tensor(x), tensor(y)], axis), expected);
    }
    expect(() => stack([])).toThrow('stack: tensors expected an array of at least one tensor');
    expect(() => stack([tensor(x), tensor(hostArray([2]))])).toThrow(
      /tensors\[1\] expected \[2, 5, 3\]/,
    );
  });

  test('scatter leaves its operand alone', async () => {
    const target = tensor(hostArray([2, 3]));
    const before = [...(await target.read())];
    const indices = fromArray(device, [2, 0], [2, 1], 'i32');
    const y = scatter(target, indices, fromArray(device, [100, 200], [2, 1], 'f32'), 1);
    expect([...(await y.read())]).toEqual(before.with(2, 100).with(3, 200));
    expect([...(await target.read())]).toEqual(before);
  });
});

describe('pad', () => {
  const x = hostArray([3, 4]);
  const clampTo = (i: number, extent: number): number => Math.min(Math.max(i, 0), extent - 1);
  const mirror = (i: number, extent: number): number =>
    i < 0 ? -i : i >= extent ? 2 * (extent - 1) - i : i;

  test.each([
    { mode: 'zero' as const, place: (i: number) => i },
    { mode: 'replicate' as const, place: clampTo },
    { mode: 'reflect' as const, place: mirror },
  ])('$mode', async ({ mode, place }) => {
    const expected = generate([3 + 3, 4 + 2], ([r, c]) => at(x, [place(r! - 1, 3), place(c!, 4)]));
    await expectEqual(
      pad(
        tensor(x),
        [
          [1, 2],
          [0, 2],
        ],
        mode,
      ),
      expected,
    );
    const turned = generate([4 + 2, 3 + 3], ([c, r]) => at(expected, [r!, c!]));
    await expectEqual(
      pad(
        tensor(x).permute([1, 0]),
        [
          [0, 2],
          [1, 2],
        ],
        mode,
      ),
      turned,
    );
  });

  test('says what it cannot pad', () => {
    expect(() => pad(tensor(x), [[1, 1]])).toThrow('pad: widths expected 2 pairs for [3, 4] f32');
    expect(() =>
      pad(
        tensor(x),
        [
          [3, 0],
          [0, 0],
        ],
        'reflect',
      ),
    ).toThrow('pad: widths[0][0] expected a whole number in [0, 2], got 3');
  });

  test('bytes and integers are padded too', async () => {
    const mask = fromArray(device, [1, 1], [2], 'u8');
    expect([...(await pad(mask, [[1, 2]]).read())]).toEqual([0, 1, 1, 0, 0]);
    expect([...(await pad(mask, [[1, 2]], 'replicate').read())]).toEqual([1, 1, 1, 1, 1]);
  });
});
