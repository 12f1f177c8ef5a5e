import { expect, test } from 'vitest';
import { openModel } from '../../../src/pipeline/model/open-model.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

test('opens checkpoint and device, and closes the device', async () => {
  const model = await openModel({ model: TINY_MODEL, threads: 1, budgetBytes: 2 ** 30 });
  expect(model).toMatchObject({ dtype: 'f32', budgetBytes: 2 ** 30, info: { fps: 30 } });
  expect(model.device.memory().budgetBytes).toBe(2 ** 30);
  await model[Symbol.asyncDispose]();
  expect(model.device.isClosed).toBe(true);
  await expect(openModel({ model: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
});
