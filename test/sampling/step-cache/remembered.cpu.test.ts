import { expect, test } from 'vitest';
import { Remembered } from '../../../src/sampling/step-cache/remembered.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

test('outlives the scope, one tensor at a time', async () => {
  const device = Device.open('cpu', { threads: 1 });
  const remembered = new Remembered();
  for (const value of [1, 2]) {
    scope(() => {
      remembered.value = fromArray(device, [value], [1], 'f32');
    });
  }
  expect(await remembered.value!.readFloat32()).toEqual(Float32Array.of(2));
  expect(device.memory().liveTensors).toBe(1);
  remembered[Symbol.dispose]();
  expect(remembered.value).toBeNull();
  expect(device.memory().liveTensors).toBe(0);
  await device.close();
});
