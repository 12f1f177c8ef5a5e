import { expect, test } from 'vitest';
import { examineMachine } from '../../../src/pipeline/inspection/doctor.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty } from '../../../src/tensor/tensor.ts';

test('framepack doctor describes the virtual GPU', async () => {
  const findings = await examineMachine();
  expect(findings.find(({ subject }) => subject === 'cuda')).toEqual({
    subject: 'cuda',
    status: 'ok',
    detail: expect.stringMatching(
      /^name CUDA simulator, architecture sm_86, driver CUDA 13.0, diagnostics 0, memory ([\d.]+) of \1 GiB free, tier /,
    ),
  });
});

test('the free memory of a GPU falls by what a device takes', async () => {
  await using device = Device.open('cuda');
  const { freeBytes, totalBytes } = device.describe();
  expect(freeBytes).toBeLessThanOrEqual(totalBytes!);
  using taken = empty(device, [2 ** 26], 'u8');
  await device.synchronize();
  expect(freeBytes! - device.describe().freeBytes!).toBeGreaterThanOrEqual(taken.size);
});
