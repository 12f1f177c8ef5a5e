import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { buildGguf, encodeQ8 } from '../build-gguf.ts';
import { buildSafetensors, bytesOf, f32, frameFile, type RawTensor } from '../build-safetensors.ts';

let folder: string;
let device: Device;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  device = Device.open('cpu', { threads: 1 });
});
afterEach(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

function open(tensors: Record<string, RawTensor>, stripPrefix = ''): Promise<Checkpoint> {
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, buildSafetensors(tensors));
  return Checkpoint.open(device, path, { stripPrefix });
}

async function read(tensor: Tensor): Promise<number[]> {
  const values = [...(await tensor.readFloat32())];
  tensor.dispose();
  return values;
}

describe('take', () => {
  it('reads every type that has a tensor type', async () => {
    const checkpoint = await open({
      f32: f32([2], [1.5, -2]),
      f16: { dtype: 'F16', shape: [2], data: bytesOf(Uint16Array.of(0x3c00, 0xc000)) },
      bf16: { dtype: 'BF16', shape: [2], data: bytesOf(Uint16Array.of(0x3f80, 0xc000)) },
      fp8: { dtype: 'F8_E4M3', shape: [2], data: Uint8Array.of(0x38, 0xc0) },
      u8: { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 255) },
      i32: { dtype: 'I32', shape: [2], data: bytesOf(Int32Array.of(1, -2)) },
    });
    const tensors = checkpoint.names().map((name) => checkpoint.take(name, [2]));
    expect(tensors.map((tensor) => tensor.dtype)).toEqual([
      'f32',
      'f16',
      'bf16',
      'f8e4m3',
      'u8',
      'i32',
    ]);
    expect(await Promise.all(tensors.map(read))).toEqual([
      [1.5, -2],
      [1, -2],
      [1, -2],
      [1, -2],
      [1, 255],
      [1, -2],
    ]);
  });

  it('reads a tensor that the file stores unaligned', async () => {
    const path = join(folder, 'model.safetensors');
    const header =
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}';
    const payload = Uint8Array.of(7, ...bytesOf(Float32Array.of(0.25, 3)));
    writeFileSync(path, frameFile(header, payload));
    const checkpoint = await Checkpoint.open(device, path);
    expect(await read(checkpoint.take('b', [2]))).toEqual([0.25, 3]);
  });

  it('only sizes tensors on the meta device', async () => {
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, buildSafetensors({ a: f32([2, 3], [1, 2, 3, 4, 5, 6]) }));
    const meta = Device.open('meta');
    const tensor = (await Checkpoint.open(meta, path)).take('a', [2, 3]);
    expect(tensor.shape).toEqual([2, 3]);
    expect(meta.memory().liveTensors).toBe(1);
    await meta.close();
  });
});

describe('takeRows', () => {
  it('reads rows alone, in any order and type, and counts them', async () => {
    const checkpoint = await open({
      f32: f32([3, 2], [1, 2, 3, 4, 5, 6]),
      e5m2: { dtype: 'F8_E5M2', shape: [2, 2], data: Uint8Array.of(0x3c, 0xc0, 0x40, 0x3c) },
    });
    expect(await read(checkpoint.takeRows('f32', [3, 2], [2, 0, 2]))).toEqual([5, 6, 1, 2, 5, 6]);
    expect(checkpoint.takenBytes).toBe(24);
    expect(await read(checkpoint.takeRows('e5m2', [2, 2], [1]))).toEqual([2, 1]);
    const none = checkpoint.takeRows('f32', [3, 2], []);
    expect([none.shape, none.dtype]).toEqual([[0, 2], 'f32']);
    expect(checkpoint.unused()).toEqual([]);
    expect(() => checkpoint.takeRows('f32', [3, 2], [0, 3])).toThrow(/rows\[1\] expected .*got 3/);
    expect(() => checkpoint.takeRows('f32', [2, 3], [0])).toThrow('expected [2, 3]');
  });

  it('only sizes them on the meta device', async () => {
    await using meta = Device.open('meta');
    await open({ f32: f32([3, 2], [1, 2, 3, 4, 5, 6]) });
    const checkpoint = await Checkpoint.open(meta, join(folder, 'model.safetensors'));
    expect(checkpoint.takeRows('f32', [3, 2], [1, 1]).shape).toEqual([2, 2]);
    expect(meta.memory().currentBytes).toBe(256);
  });
});

describe('a GGUF file', () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => i - 20);
  const write = (): string => {
    const path = join(folder, 'model.gguf');
    const file = buildGguf(
      [
        { name: 'w', shape: [2, 32], type: 8, data: encodeQ8(values) },
        { name: 'bias', shape: [3], type: 0, data: bytesOf(Float32Array.of(1, -2, 0.3)) },
      ],
      { 'comfy.gguf.orig_shape.w': [2, 8, 4] },
    );
    writeFileSync(path, file);
    return path;
  };

  it('is read in bf16 where it holds blocks, in the shape they had', async () => {
    const checkpoint = await Checkpoint.open(device, write());
    expect(checkpoint.wideType).toBe('bf16');
    const weight = checkpoint.take('w', [2, 8, 4]);
    expect(weight.dtype).toBe('bf16');
    expect(await read(weight)).toEqual([...values]);
    const bias = checkpoint.take('bias', [3]);
    expect(bias.dtype).toBe('f32');
    expect(await read(bias)).toEqual([1, -2, Math.fround(0.3)]);
    expect([...checkpoint.takeFloat32('bias', [3])]).toEqual([1, -2, Math.fround(0.3)]);
    const rows = checkpoint.takeRows('w', [2, 8, 4], [1]);
    expect([rows.dtype, rows.shape]).toEqual(['bf16', [1, 8, 4]]);
    expect(await read(rows)).toEqual([...values.subarray(32)]);
    expect(() => checkpoint.takeFloat32('w', [2, 8, 4])).toThrow('got Q8_0');
  });

  it('is sized on the meta device and found in its folder', async () => {
    write();
    const meta = Device.open('meta');
    const checkpoint = await Checkpoint.open(meta, folder);
    const weight = checkpoint.take('w', [2, 8, 4]);
    expect([weight.dtype, weight.shape]).toEqual(['bf16', [2, 8, 4]]);
    await meta.close();
    writeFileSync(join(folder, 'model-Q4_0.gguf'), '');
    await expect(Checkpoint.open(device, folder)).rejects.toThrow(
      'expected one *.gguf, got model-Q4_0.gguf, model.gguf: pass the path of one of them',
    );
  });

  it('says which blocks it cannot read', async () => {
    const path = join(folder, 'model.gguf');
    const tensor = { name: 'w', shape: [1, 256], type: 11, data: new Uint8Array(110) };
    writeFileSync(path, buildGguf([tensor]));
    const checkpoint = await Checkpoint.open(device, path);
    expect(() => checkpoint.take('w', [1, 256])).toThrow('Q5_K, Q6_K, got Q3_K');
  });
});

describe('take refuses', () => {
  it('what is missing, misshapen or of no tensor type, by name', async () => {
    const checkpoint = await open({
      'to_q.weight': f32([2, 1], [1, 2]),
      ids: { dtype: 'I64', shape: [1], data: bytesOf(BigInt64Array.of(5n)) },
    });
    expect(() => checkpoint.take('to_k.weight', [2, 1])).toThrow(
      'tensor to_k.weight expected, got none',
    );
    expect(() => checkpoint.take('to_q.weight', [1, 2])).toThrow(
      'tensor to_q.weight expected [1, 2], got [2, 1] F32',
    );
    expect(() => checkpoint.take('to_q.weight', [2])).toThrow('expected [2], got [2, 1] F32');
    expect(() => checkpoint.take('ids', [1])).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
    expect(checkpoint.unused()).toEqual(['to_q.weight', 'ids']);
  });

  it.each([
    ['truncated', (path: string) => truncateSync(path, 100)],
    ['longer', (path: string) => appendFileSync(path, 'x')],
    ['removed', (path: string) => rmSync(path)],
  ])('a file that is %s after it was opened', async (_, change) => {
    const checkpoint = await open({ a: f32([64], Array(64).fill(1)) });
    change(checkpoint.path);
    expect(() => checkpoint.take('a', [64])).toThrow('got a changed or removed one');
  });
});

describe('host readers', () => {
  it('read integers and small floats', async () => {
    const checkpoint = await open({
      ids: { dtype: 'I64', shape: [3], data: bytesOf(BigInt64Array.of(5n, -1n, 128009n)) },
      huge: { dtype: 'I64', shape: [1], data: bytesOf(BigInt64Array.of(2n ** 60n)) },
      half: { dtype: 'BF16', shape: [2], data: bytesOf(Uint16Array.of(0x3f80, 0xc000)) },
    });
    expect(checkpoint.takeIntegers('ids', [3])).toEqual([5, -1, 128009]);
    expect(() => checkpoint.takeIntegers('huge', [1])).toThrow(
      'values below 2^53, got 1152921504606846976',
    );
    expect(() => checkpoint.takeIntegers('half', [2])).toThrow('expected I64, got BF16');
    expect([...checkpoint.takeFloat32('half', [2])]).toEqual([1, -2]);
    expect(() => checkpoint.takeFloat32('ids', [3])).toThrow('got I64');
  });
});

describe('names', () => {
  it('are checked for leftovers', async () => {
    const checkpoint = await open({
      a: f32([1], [1]),
      b: f32([1], [2]),
      'lm_head.weight': f32([1], [3]),
    });
    checkpoint.take('a', [1]).dispose();
    expect(checkpoint.unused()).toEqual(['b', 'lm_head.weight']);
    expect(() => checkpoint.assertUsed()).toThrow(/got b, lm_head\.weight$/);
    expect(() => checkpoint.assertUsed([/^lm_head\./])).toThrow(/got b$/);
    checkpoint.take('b', [1]).dispose();
    checkpoint.assertUsed([/^lm_head\./]);
  });

  it('list the first leftovers of many', async () => {
    const checkpoint = await open(
      Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, f32([1], [i])])),
    );
    expect(() => checkpoint.assertUsed()).toThrow('t0, t1, t2, t3, t4, t5, t6, t7 and 2 more');
  });

  it('lose a prefix where they have it', async () => {
    const checkpoint = await open(
      { 'model.norm.weight': f32([1], [1]), tail: f32([1], [2]) },
      'model.',
    );
    expect(checkpoint.names()).toEqual(['norm.weight', 'tail']);
    await expect(open({ 'model.a': f32([1], [1]), a: f32([1], [2]) }, 'model.')).rejects.toThrow(
      'tensor a expected once, got it with and without model.',
    );
  });
});
