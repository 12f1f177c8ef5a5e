import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { WeightFile } from '../../src/weights/files/weight-file.ts';
import { loadTensors, saveTensors } from '../../src/weights/tensor-file.ts';

let device: Device;
let folder: string;
beforeAll(() => {
  device = Device.open('cpu');
  folder = mkdtempSync(join(tmpdir(), 'framepack-tensors-'));
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

function examples(): Record<string, Tensor> {
  const dtypes = ['u8', 'f32', 'f16', 'bf16', 'f8e4m3', 'i32'] as const;
  const named = dtypes.map((dtype) => [
    `layer.${dtype}`,
    fromArray(device, [1, 2, 3, 4, 5, 6], [2, 3], dtype),
  ]);
  const view = fromArray(device, [1, 2, 3, 4, 5, 6], [2, 3], 'f32').permute([1, 0]);
  return { ...Object.fromEntries(named), view, empty: fromArray(device, [], [0, 2], 'f32') };
}

describe('saved tensors come back', () => {
  test.each(['path', 'bytes'] as const)('from a %s, with every bit', async (kind) => {
    const file = join(folder, `${kind}.safetensors`);
    const tensors = examples();
    await saveTensors(file, tensors);
    const loaded = loadTensors(device, kind === 'path' ? file : new Uint8Array(readFileSync(file)));
    expect([...loaded.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, tensor] of loaded) {
      expect(tensor.dtype).toBe(tensors[name]!.dtype);
      expect(tensor.shape).toEqual(tensors[name]!.shape);
      expect(await tensor.read()).toEqual(await tensors[name]!.read());
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('a map is saved in place of an older file', async () => {
    const file = join(folder, 'again.safetensors');
    await saveTensors(file, { old: fromArray(device, [1], [1], 'f32') });
    await saveTensors(file, new Map([['new', fromArray(device, [7], [1], 'i32')]]));
    const loaded = loadTensors(device, file);
    expect([...loaded.keys()]).toEqual(['new']);
    expect([...(await loaded.get('new')!.read())]).toEqual([7]);
  });
});

test('what cannot be saved leaves no file', async () => {
  const x = fromArray(device, [1], [1], 'f32');
  await expect(saveTensors(join(folder, 'none', 'x.safetensors'), { x })).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
  });
  await expect(saveTensors('', { x })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(saveTensors('x', { x: 3 as never })).rejects.toThrow(
    'saveTensors: x expected a tensor, got 3',
  );
  await expect(saveTensors('x', null as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

test('what is no safetensors file is refused, and nothing stays', () => {
  const { liveTensors } = device.memory();
  const header = JSON.stringify({
    a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    b: { dtype: 'I64', shape: [1], data_offsets: [4, 12] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const bytes = Buffer.concat([length, Buffer.from(header), Buffer.alloc(12)]);
  const file = join(folder, 'wide.safetensors');
  writeFileSync(file, bytes);
  for (const source of [file, new Uint8Array(bytes)]) {
    expect(() => loadTensors(device, source)).toThrow(/tensor b expected an element type/);
  }
  expect(() => loadTensors(device, new Uint8Array(3))).toThrow(
    expect.objectContaining({ code: 'ERR_CHECKPOINT' }),
  );
  expect(() => loadTensors(device, 3 as never)).toThrow(
    'loadTensors: source expected a path or the bytes of a file, got 3',
  );
  expect(device.memory().liveTensors).toBe(liveTensors);
});

describe('metadata', () => {
  test('is in the file, and the tensors are as without it', async () => {
    const file = join(folder, 'metadata.safetensors');
    const metadata = { format: 'pt', note: 'q"\u00e9\n' };
    await saveTensors(file, examples(), metadata);
    expect(Object.fromEntries(WeightFile.open(file).header.metadata)).toEqual(metadata);
    const loaded = loadTensors(device, file);
    for (const [name, tensor] of Object.entries(examples()))
      expect(await loaded.get(name)!.read()).toEqual(await tensor.read());
  });

  test.each([[{ count: 1 }], [null], ['text']])('is refused as %j', async (metadata) => {
    const file = join(folder, 'refused.safetensors');
    const saved = saveTensors(file, examples(), metadata as unknown as Record<string, string>);
    await expect(saved).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(readdirSync(folder)).not.toContain('refused.safetensors');
  });
});
