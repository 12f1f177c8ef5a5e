import { describe, expect, it } from 'vitest';
import { probeUpload, probeWork } from '../../../../src/pipeline/planning/timing/probe-device.ts';
import { Device } from '../../../../src/tensor/device.ts';

describe('probeWork', () => {
  it.each(['product f32', 'attention bf16', 'convolution f32', 'memory f32'] as const)(
    'finds the rate of %s and leaves nothing on the device',
    async (work) => {
      await using device = Device.open('cpu');
      const { flopsPerSecond, movedBytesPerSecond } = await probeWork(device, work);
      // From a slow core to a hundred fast ones.
      expect(flopsPerSecond).toBeGreaterThan(1e7);
      expect(flopsPerSecond).toBeLessThan(1e15);
      expect(movedBytesPerSecond).toBeGreaterThan(1e5);
      expect(movedBytesPerSecond).toBeLessThan(1e13);
      expect(device.memory().liveTensors).toBe(0);
    },
  );
});

describe('probeUpload', () => {
  it('finds the rate of copies', async () => {
    await using device = Device.open('cpu');
    const rate = await probeUpload(device);
    expect(rate).toBeGreaterThan(1e7);
    expect(rate).toBeLessThan(1e13);
    expect(device.memory().liveTensors).toBe(0);
  });
});
