import { expect, test } from 'vitest';
import { openChosenDevice } from '../../../src/pipeline/inputs/device-choice.ts';

test.each(['auto', 'cuda', 'cuda:0', 0] as const)('%s is the first GPU', async (choice) => {
  const { device, facts } = openChosenDevice(choice, {});
  await using _ = device;
  expect(device.kind).toBe('cuda');
  expect(facts).toEqual({ kind: 'cuda', ordinal: 0, name: device.describe().name });
});
