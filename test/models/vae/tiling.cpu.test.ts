import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeTiled,
  encodeTiled,
  FULL_TILING,
  TEMPORAL_TILING,
} from '../../../src/models/vae/tiling.ts';
import { upsampleNearest } from '../../../src/ops/gather.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';
import { maxAbsError } from '../../golden/report.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

/** Stands for a decoder without memory: every frame but the first four times, 8 x 8 pixels a latent. */
async function nearest(tile: Tensor): Promise<Tensor> {
  return upsampleNearest(upsampleNearest(tile, [2, 4, 4]), [2, 2, 2]);
}

/** Frame numbers as latents, one value a frame. */
function ramp(frames: number, height: number, width: number): Tensor {
  const values = Float32Array.from({ length: frames * height * width }, (_, index) =>
    Math.floor(index / (height * width)),
  );
  return fromArray(device, values, [1, frames, height, width, 1], 'f32');
}

describe('decodeTiled', () => {
  it.each([
    [4, ['0-4']],
    [5, ['0-5', '3-5']],
    [9, ['0-5', '3-8', '6-9']],
    [10, ['0-5', '3-8', '6-10']],
  ])('cuts %d latents into %j', async (numLatents, expected) => {
    const tiles: string[] = [];
    const result = await decodeTiled(ramp(numLatents, 1, 1), TEMPORAL_TILING, async (tile) => {
      const values = await tile.readFloat32();
      tiles.push(`${values[0]}-${values.at(-1)! + 1}`);
      return scope(() => nearest(tile));
    });
    expect(tiles).toEqual(expected);
    expect(result.shape).toEqual([1, 4 * numLatents - 3, 8, 8, 1]);
  });

  it('does not show the seams of a decoder that needs no context', async () => {
    const latents = ramp(11, 9, 7);
    const tiling = { ...FULL_TILING, spatial: { tile: 64, stride: 48 } };
    const whole = await (await nearest(latents)).readFloat32();
    const tiled = await (await decodeTiled(latents, tiling, nearest)).readFloat32();
    expect(tiled).toHaveLength(whole.length);
    expect(maxAbsError(tiled, whole)).toBeLessThan(1e-5);
  });

  it('decodes a picture of one tile at once', async () => {
    let calls = 0;
    await decodeTiled(ramp(1, 32, 32), FULL_TILING, async (tile) => {
      calls += 1;
      return nearest(tile);
    });
    expect(calls).toBe(1);
  });
});

describe('encodeTiled', () => {
  it('drops the context latent of every tile but the first', async () => {
    const frames = 29;
    const first = async (tile: Tensor): Promise<Tensor> => tile.slice(1, 0, undefined, 4);
    const result = await encodeTiled(ramp(frames, 8, 8), TEMPORAL_TILING, first);
    const values = await result.slice(2, 0, 1).slice(3, 0, 1).readFloat32();
    expect([...values]).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
  });
});
