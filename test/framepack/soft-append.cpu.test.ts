import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { softAppend } from '../../src/framepack/soft-append.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterAll(() => device.close());

const line = (values: number[]) => fromArray(device, values, [1, 1, values.length, 1, 1], 'f32');
const join = async (earlier: number[], later: number[], numFrames: number) => [
  ...(await softAppend(line(earlier), line(later), { numFrames, axis: 2 }).read()),
];

describe('softAppend', () => {
  it('fades from the earlier to the later stretch', async () => {
    expect(await join([1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], 3)).toEqual([1, 1, 1, 0.5, 0, 0, 0, 0]);
  });

  it('joins without overlap, and with nothing but overlap', async () => {
    expect(await join([1, 2], [3], 0)).toEqual([1, 2, 3]);
    expect(await join([1, 1, 1], [3, 3, 3], 3)).toEqual([1, 2, 3]);
    expect(await join([1, 1], [3, 3, 4], 2)).toEqual([1, 3, 4]);
  });

  it('works along any axis and in half precision', async () => {
    const earlier = fromArray(device, [1, 10, 2, 20], [2, 2], 'f16');
    const later = fromArray(device, [4, 40, 3, 30], [2, 2], 'f16');
    const joined = softAppend(earlier, later, { numFrames: 1, axis: 0 });
    expect(joined.dtype).toBe('f16');
    expect([...(await joined.readFloat32())]).toEqual([1, 10, 2, 20, 3, 30]);
  });

  it.each([3, -1])('refuses an overlap of %i frames of 2 and 3', async (numFrames) => {
    await expect(join([1, 1], [2, 2, 2], numFrames)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
  });
});
