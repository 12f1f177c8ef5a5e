import { afterAll, beforeAll, expect, test } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { Storage } from '../../src/tensor/storage.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('meta');
});
afterAll(() => device.close());

test('the last owner frees the memory', () => {
  const storage = Storage.allocate(device, 1000);
  storage.addOwner();
  expect(device.memory()).toMatchObject({ currentBytes: 1024, liveTensors: 1 });
  storage.removeOwner();
  expect(device.memory().currentBytes).toBe(1024);
  storage.removeOwner();
  expect(device.memory()).toMatchObject({ currentBytes: 0, liveTensors: 0 });
});

test('a part of a file is counted like memory', () => {
  const storage = Storage.fromFile(device, process.execPath, 4096, 1000);
  expect(device.memory().currentBytes).toBe(1024);
  storage.removeOwner();
  expect(device.memory().currentBytes).toBe(0);
});
