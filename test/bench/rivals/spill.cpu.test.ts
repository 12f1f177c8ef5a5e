import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SpillFolder } from '../../../bench/rivals/spill.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';

function floatsOf(file: string): number[] {
  const bytes = readFileSync(file);
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}

test('writes the elements of views in order', async () => {
  await using device = Device.open('cpu', { threads: 1 });
  const whole = fromArray(device, [1, 2, 3, 4, 5, 6], [2, 3], 'f32');
  using folder = new SpillFolder();
  const { x, y } = await folder.writeAll({ x: whole.permute([1, 0]), y: whole.slice(1, 1) });
  expect(x).toMatchObject({ dtype: 'f32', shape: [3, 2], offset: 0 });
  expect(floatsOf(x!.file)).toEqual([1, 4, 2, 5, 3, 6]);
  expect(floatsOf(y!.file)).toEqual([2, 3, 5, 6]);
});

test('leaves nothing behind', () => {
  const listeners = process.listenerCount('exit');
  let path: string;
  {
    using folder = new SpillFolder();
    path = folder.path;
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
  expect(process.listenerCount('exit')).toBe(listeners);
});
