import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlockStream } from '../../src/nn/block-stream.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, type Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('meta');
});
afterEach(() => device.close());

const BLOCK_BYTES = 1024;

/** Blocks of a kilobyte that write down when they are loaded. */
function blocks(count: number): {
  loaders: (() => { weight: Tensor; index: number })[];
  loaded: number[];
} {
  const loaded: number[] = [];
  const loaders = Array.from({ length: count }, (_, index) => () => {
    loaded.push(index);
    empty(device, [512], 'u8');
    return { weight: empty(device, [BLOCK_BYTES], 'u8'), index };
  });
  return { loaders, loaded };
}

const liveBytes = (): number => device.memory().currentBytes;

describe('BlockStream', () => {
  it('loads all of them once unless it is told how many', () => {
    scope(() => {
      const { loaders, loaded } = blocks(4);
      const stream = BlockStream.load(loaders);
      for (let pass = 0; pass < 2; pass++) {
        using walk = stream.walk();
        expect([0, 1, 2, 3].map((index) => walk.at(index).index)).toEqual([0, 1, 2, 3]);
      }
      expect(loaded).toEqual([0, 1, 2, 3]);
      expect(stream.length).toBe(4);
    });
    expect(liveBytes()).toBe(0);
  });

  it.each([
    [0, 5, []],
    [1, 5, [4]],
    [2, 5, [2, 4]],
    [3, 6, [1, 3, 5]],
    [6, 6, [0, 1, 2, 3, 4, 5]],
  ])('of %d that stay among %d spreads %j', (numResident, count, expected) => {
    const { loaders, loaded } = blocks(count);
    scope(() => void BlockStream.load(loaders, numResident));
    expect(loaded).toEqual(expected);
  });
});

describe('BlockWalk', () => {
  it('has the next one on its way, and never more than two', () => {
    scope(() => {
      const { loaders, loaded } = blocks(4);
      const stream = BlockStream.load(loaders, 0);
      expect(liveBytes()).toBe(0);
      device.resetPeak();
      using walk = stream.walk();
      const seen = [0, 1, 2, 3].map((index) => {
        const { weight } = walk.at(index);
        expect(weight.isDisposed).toBe(false);
        return [[...loaded], liveBytes() / BLOCK_BYTES];
      });
      expect(seen).toEqual([
        [[0, 1], 2],
        [[0, 1, 2], 2],
        [[0, 1, 2, 3], 2],
        [[0, 1, 2, 3], 1],
      ]);
      // What a loader makes on its way to a block is not kept.
      expect(device.memory().peakBytes).toBe(2 * BLOCK_BYTES + 512);
      walk[Symbol.dispose]();
      expect(liveBytes()).toBe(0);
    });
  });

  it('loads the next one that does not stay while those that do are run', () => {
    scope(() => {
      const { loaders, loaded } = blocks(6);
      const stream = scope(() => BlockStream.load(loaders, 3));
      loaded.length = 0;
      using walk = stream.walk();
      walk.at(0);
      expect(loaded).toEqual([0, 2]);
      walk.at(1);
      walk.at(2);
      expect(loaded).toEqual([0, 2, 4]);
      expect(liveBytes()).toBe(5 * BLOCK_BYTES);
    });
  });

  it('loads one alone where nothing follows', () => {
    const { loaders, loaded } = blocks(3);
    const stream = BlockStream.load(loaders, 0);
    {
      using walk = stream.walk();
      expect(walk.only(1).index).toBe(1);
    }
    expect(loaded).toEqual([1]);
    expect(liveBytes()).toBe(0);
  });

  it('frees what passes when a block does not load', () => {
    const { loaders } = blocks(3);
    const stream = BlockStream.load(
      loaders.with(2, () => {
        throw new Error('broken');
      }),
      0,
    );
    const pass = (): void => {
      using walk = stream.walk();
      walk.at(0);
      walk.at(1);
    };
    expect(pass).toThrow('broken');
    expect(liveBytes()).toBe(0);
  });
});
