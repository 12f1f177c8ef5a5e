import { afterAll, beforeAll, expect, test } from 'vitest';
import { MagCalibration } from '../../../src/sampling/step-cache/mag-calibration.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterAll(() => device.close());

test('records the mean over tokens of how much larger the residual has become', async () => {
  using calibration = new MagCalibration();
  // Two tokens of two channels; their residuals have the magnitudes 5 and 1, then 10 and 4.
  const outputs = [
    [3, 4, 0, 1],
    [6, 8, 4, 0],
  ];
  for (const values of outputs) {
    await scope(async () => {
      const input = fromArray(device, [0, 0, 0, 0], [1, 2, 2], 'f32');
      const output = fromArray(device, values, [1, 2, 2], 'f32');
      const unused = (): never => {
        throw new Error('every step is computed');
      };
      const call = { input, modulated: unused, blocks: async () => output, firstBlock: unused };
      expect(await (await calibration.run(call)).readFloat32()).toEqual(Float32Array.from(values));
    });
  }
  expect(calibration.ratios).toEqual([1, 3]);
  expect(calibration.numSkipped).toBe(0);
});
