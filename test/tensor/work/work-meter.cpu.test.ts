import { describe, expect, it } from 'vitest';
import { linear } from '../../../src/ops/linear.ts';
import { Device } from '../../../src/tensor/device.ts';
import { native } from '../../../src/tensor/native.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { empty } from '../../../src/tensor/tensor.ts';
import { OPERATION_NAMES } from '../../../src/tensor/work/operation-work.ts';
import { addWork, metered, WorkMeter } from '../../../src/tensor/work/work-meter.ts';

/** Functions of the addon that are about devices and memory. */
const MANAGEMENT = [
  ...['initialize', 'openDevice', 'closeDevice', 'describe', 'memory', 'resetPeak', 'fence'],
  ...['allocate', 'release', 'mapFile', 'upload', 'download', 'peek', 'copyAcross'],
];

describe('WorkMeter', () => {
  it('knows every operation of the addon', () => {
    const names = Object.keys(native()).filter((name) => !MANAGEMENT.includes(name));
    expect(names.toSorted()).toEqual(OPERATION_NAMES.toSorted());
    expect(Object.keys(metered(native()))).toEqual(Object.keys(native()));
  });

  it.each(['meta', 'cpu'] as const)('counts by kind and type on %s', async (kind) => {
    await using device = Device.open(kind);
    const meter = WorkMeter.of(device);
    expect(WorkMeter.of(device)).toBe(meter);
    scope(() => {
      const x = empty(device, [5, 64], 'bf16');
      linear(x, empty(device, [3, 64], 'bf16'));
      linear(x, empty(device, [3, 64], 'f32'));
      linear(x, {
        data: empty(device, [3, 64], 'f8e4m3'),
        scale: empty(device, [1], 'f32'),
        mode: 'tensor',
      });
    });
    const tally = meter.take();
    expect([...tally.keys()]).toEqual(['product bf16', 'product f32']);
    expect(tally.get('product f32')!.flops).toBe(2 * 5 * 3 * 64);
    expect(tally.get('product bf16')!.flops).toBe(2 * (2 * 5 * 3 * 64));
    expect(meter.take().size).toBe(0);
  });

  it('counts nothing of a device that nobody asks about', async () => {
    await using device = Device.open('meta');
    await using other = Device.open('meta');
    const meter = WorkMeter.of(other);
    scope(() => linear(empty(device, [5, 64], 'f32'), empty(device, [3, 64], 'f32')));
    expect(meter.take().size).toBe(0);
  });

  it('adds work so many times', () => {
    const tally = new Map();
    addWork(tally, 'memory f32', { flops: 1, movedBytes: 2 });
    addWork(tally, 'memory f32', { flops: 10, movedBytes: 20 }, 3);
    expect(tally.get('memory f32')).toEqual({ flops: 31, movedBytes: 62 });
  });
});
