import { expect, test } from 'vitest';
import { openModel, openModelOnMeta } from '../../../src/pipeline/model/open-model.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

test('opens checkpoint and device, and closes the device', async () => {
  const model = await openModel({ model: TINY_MODEL, threads: 1, budgetBytes: 2 ** 30 });
  expect(model).toMatchObject({ dtype: 'f32', budgetBytes: 2 ** 30, info: { fps: 30 } });
  expect(model.device.memory().budgetBytes).toBe(2 ** 30);
  await model[Symbol.asyncDispose]();
  expect(model.device.isClosed).toBe(true);
  await expect(openModel({ model: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
});

test('takes the CPU without a GPU, and says why', async () => {
  await using model = await openModel({ model: TINY_MODEL });
  expect(model.deviceFacts).toMatchObject({
    ...{ kind: 'cpu', ordinal: null },
    ...{ name: model.device.describe().name, whyNoGpu: expect.stringContaining('driver') },
  });
  await using chosen = await openModel({ model: TINY_MODEL, device: 'cpu' });
  expect(chosen.deviceFacts).not.toHaveProperty('whyNoGpu');
});

test.each([
  ['cpu', 'f32'],
  ['cuda', 'bf16'],
] as const)('rehearses for %s in %s', async (kind, dtype) => {
  await using model = await openModelOnMeta({ model: TINY_MODEL, budgetBytes: 2 ** 40 }, kind);
  expect(model).toMatchObject({ dtype, budgetBytes: 2 ** 40, deviceFacts: { kind: 'meta' } });
  expect(model.device.kind).toBe('meta');
});
