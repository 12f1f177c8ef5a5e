import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyInto, full, to } from '../../src/ops/copy.ts';
import { add } from '../../src/ops/elementwise.ts';
import { Device } from '../../src/tensor/device.ts';
import { type DType, decode, encode } from '../../src/tensor/dtype.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, fromArray, fromFile, type Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
let folder: string;
beforeAll(() => {
  device = Device.open('cpu');
  folder = mkdtempSync(join(tmpdir(), 'tensor-test-'));
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function coded(code: string, message: string | RegExp = ''): Error {
  const matching = expect.stringMatching(message);
  return expect.objectContaining({ code, message: matching }) as Error;
}

describe('bitcast', () => {
  test('shows the same bytes as another type, also of a part', async () => {
    const x = fromArray(device, [0, 0x3c, 0, 0x40, 0, 0xc4], [3, 2], 'u8');
    expect([...(await x.bitcast('f16').readFloat32())]).toEqual([1, 2, -4]);
    expect(x.slice(0, 1).bitcast('f16').shape).toEqual([2, 1]);
    expect([...(await x.slice(0, 1).bitcast('f16').readFloat32())]).toEqual([2, -4]);
    expect(fromArray(device, [1], [1, 1], 'f32').bitcast('u8').shape).toEqual([1, 4]);
  });

  test('refuses gaps and parts of elements', () => {
    const x = fromArray(device, [1, 2, 3, 4], [2, 2], 'u8');
    expect(() => x.permute([1, 0]).bitcast('f16')).toThrow(coded('ERR_UNSUPPORTED', 'contiguous'));
    expect(() => x.bitcast('f32')).toThrow(coded('ERR_SHAPE', 'whole elements of f32'));
  });
});

describe('creation', () => {
  test.each(['f32', 'f16', 'bf16', 'f8e4m3', 'i32', 'u8'] as const)('%s', async (dtype) => {
    const x = fromArray(device, [0, 1, 2, 3, 4, 5], [2, 3], dtype);
    expect([x.dtype, x.shape, x.strides, x.rank, x.size]).toEqual([dtype, [2, 3], [3, 1], 2, 6]);
    const data = await x.read();
    expect(data).toEqual(encode([0, 1, 2, 3, 4, 5], dtype));
    expect([...(await x.readFloat32())]).toEqual([0, 1, 2, 3, 4, 5]);
    const again = fromArray(device, data, [2, 3], dtype);
    expect(await again.read()).toEqual(data);
  });

  test('the data is copied at the call', async () => {
    const data = new Float32Array([1, 2]);
    const x = fromArray(device, data, [2], 'f32');
    data.fill(9);
    expect(await x.read()).toEqual(new Float32Array([1, 2]));
  });

  test('part of a buffer', async () => {
    const data = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
    expect(await fromArray(device, data, [2], 'f32').read()).toEqual(new Float32Array([1, 2]));
  });

  test('scalars and empty tensors', async () => {
    const scalar = fromArray(device, [7], [], 'f32');
    expect([scalar.rank, scalar.size, await scalar.read()]).toEqual([0, 1, new Float32Array([7])]);
    const none = fromArray(device, [], [3, 0], 'i32');
    expect([none.size, await none.read()]).toEqual([0, new Int32Array(0)]);
    expect(await add(fromArray(device, [], [0], 'f32'), 1).read()).toEqual(new Float32Array(0));
  });

  test('shapes are copies', () => {
    const shape = [2, 3];
    const x = empty(device, shape, 'f32');
    shape[0] = 5;
    expect(x.shape).toEqual([2, 3]);
  });

  test('bad arguments', () => {
    expect(() => empty(device, [2], 'f64' as DType)).toThrow(coded('ERR_DTYPE', 'got f64'));
    expect(() => empty(device, [-2], 'f32')).toThrow(coded('ERR_SHAPE'));
    expect(() => fromArray(device, [1], [2], 'f32')).toThrow(coded('ERR_SHAPE', 'got 1'));
  });

  test('random numbers reach the device', async () => {
    const x = new Generator(0).randn(device, [2, 8]);
    expect((await x.read())[0]).toBeCloseTo(-1.1258398, 6);
  });
});

describe('views share memory', () => {
  let x: Tensor<'f32'>;
  beforeAll(() => {
    x = fromArray(device, numbers(24), [2, 3, 4], 'f32');
  });

  async function read(tensor: Tensor): Promise<number[]> {
    return [...(await tensor.readFloat32())];
  }

  test('reshape', async () => {
    const y = x.reshape([4, -1]);
    expect([y.shape, await read(y)]).toEqual([[4, 6], numbers(24)]);
    expect(() => x.permute([2, 1, 0]).reshape([24])).toThrow(
      coded('ERR_UNSUPPORTED', 'call contiguous'),
    );
  });

  test('permute', async () => {
    const y = x.permute([2, 0, 1]);
    expect([y.shape, y.isContiguous]).toEqual([[4, 2, 3], false]);
    const expected = [0, 1, 2, 3].flatMap((k) => numbers(6).map((i) => i * 4 + k));
    expect(await read(y)).toEqual(expected);
  });

  test('slice', async () => {
    expect(await read(x.slice(1, 1, 2))).toEqual([4, 5, 6, 7, 16, 17, 18, 19]);
    expect(await read(x.slice(-1, -1))).toEqual([3, 7, 11, 15, 19, 23]);
    expect(await read(x.slice(2, 1, 4, 2).slice(0, 1))).toEqual([13, 15, 17, 19, 21, 23]);
  });

  test('split', async () => {
    const [a, b] = x.split(1, [1, 2]) as [Tensor, Tensor];
    expect([a.shape, b.shape]).toEqual([
      [2, 1, 4],
      [2, 2, 4],
    ]);
    expect(await read(b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]);
    expect(() => x.split(1, [1, 1])).toThrow(coded('ERR_SHAPE', 'sum of 3 on axis 1'));
    expect(() => x.split(1, [4, -1])).toThrow(coded('ERR_SHAPE'));
  });

  test('expand, squeeze, unsqueeze', async () => {
    const row = x.slice(0, 0, 1).slice(1, 0, 1);
    expect(await read(row.expand([2, 2, 4]))).toEqual([...Array(4)].flatMap(() => [0, 1, 2, 3]));
    expect(row.squeeze(1).squeeze(0).shape).toEqual([4]);
    expect(row.squeeze(0).unsqueeze(-1).shape).toEqual([1, 4, 1]);
    expect(() => x.squeeze(0)).toThrow(coded('ERR_SHAPE', 'axis 0 expected extent 1'));
    expect(() => x.expand([3, 3, 4])).toThrow(coded('ERR_SHAPE'));
  });

  test('writing into a view changes the tensor', async () => {
    const y = full(device, [2, 3], 'f32', 0);
    copyInto(fromArray(device, [1, 2], [2, 1], 'f32'), y.slice(1, 1, 2));
    expect(await read(y)).toEqual([0, 1, 0, 0, 2, 0]);
  });
});

describe('life', () => {
  test('a disposed tensor refuses everything', async () => {
    const x = fromArray(device, [1], [1], 'f32');
    x.dispose();
    x.dispose();
    expect(x.isDisposed).toBe(true);
    expect(() => x.reshape([1])).toThrow(coded('ERR_DISPOSED', 'reshape: tensor expected a live'));
    expect(() => add(x, 1)).toThrow(coded('ERR_DISPOSED', 'add: a expected a live tensor'));
    await expect(x.read()).rejects.toThrow(coded('ERR_DISPOSED', 'read'));
  });

  test('the error names the scope that freed it', () => {
    const freedIn = (name?: string): Tensor => {
      const lost: Tensor[] = [];
      scope(() => {
        lost.push(fromArray(device, [1], [1], 'f32'));
      }, name);
      return lost[0]!;
    };
    expect(() => freedIn().reshape([1])).toThrow(
      coded('ERR_DISPOSED', 'tensor expected a live tensor, got one that its scope\\(\\) freed'),
    );
    const decoded = freedIn('decode');
    expect(decoded.freedBy).toBe('scope "decode"');
    expect(() => add(decoded, 1)).toThrow(
      coded('ERR_DISPOSED', 'a expected a live tensor, got one that its scope "decode" freed'),
    );
  });

  test('memory lives as long as its last view', async () => {
    const before = device.memory().liveTensors;
    const x = fromArray(device, [1, 2], [2], 'f32');
    const view = x.slice(0, 1);
    const owner = x.retain();
    x.dispose();
    expect([await view.read(), await owner.read()]).toEqual([
      new Float32Array([2]),
      new Float32Array([1, 2]),
    ]);
    view.dispose();
    expect(device.memory().liveTensors).toBe(before + 1);
    owner.dispose();
    expect(device.memory().liveTensors).toBe(before);
  });

  test('a read that is under way survives dispose', async () => {
    const x = fromArray(device, numbers(1000), [1000], 'f32');
    const reading = x.read();
    x.dispose();
    fromArray(device, new Float32Array(1000), [1000], 'f32').dispose();
    expect([...(await reading)]).toEqual(numbers(1000));
  });

  test('using and scope give everything back', async () => {
    const before = device.memory();
    {
      using x = fromArray(device, [1, 2], [2], 'f32');
      const sum = scope(() => add(add(x, x), add(x, 1)));
      expect(await sum.read()).toEqual(new Float32Array([4, 7]));
      sum.dispose();
    }
    await scope(async () => {
      const x = fromArray(device, [1, 2, 3, 4], [2, 2], 'f32');
      await x.permute([1, 0]).read();
    });
    expect(device.memory()).toMatchObject({
      currentBytes: before.currentBytes,
      liveTensors: before.liveTensors,
    });
  });
});

describe('files', () => {
  test('a mapped tensor reads the file, at any element', async () => {
    const path = join(folder, 'numbers.bin');
    writeFileSync(path, new Float32Array(numbers(5000)));
    const x = fromFile(device, { path, byteOffset: 4 * 1037 }, [2, 3], 'f32');
    expect([...(await x.read())]).toEqual([1037, 1038, 1039, 1040, 1041, 1042]);
    expect(await add(x, 1).readFloat32()).toEqual(
      new Float32Array(await x.read()).map((v) => v + 1),
    );
  });

  test('the mapping outlives dispose for queued work', async () => {
    const path = join(folder, 'bytes.bin');
    writeFileSync(path, new Uint8Array(100).fill(7));
    const x = fromFile(device, { path, byteOffset: 0 }, [100], 'u8');
    const reading = x.read();
    x.dispose();
    expect(new Set(await reading)).toEqual(new Set([7]));
  });

  test('mapped memory is never written', () => {
    const path = join(folder, 'constant.bin');
    writeFileSync(path, new Float32Array(4));
    const x = fromFile(device, { path, byteOffset: 0 }, [4], 'f32');
    expect(() => copyInto(full(device, [4], 'f32', 1), x)).toThrow(
      coded('ERR_ARGUMENT', 'copy: out expected writable memory, not a mapped file'),
    );
  });

  test.each(['cpu', 'meta'] as const)('%s checks the file', async (kind) => {
    await using other = Device.open(kind);
    const path = join(folder, 'short.bin');
    writeFileSync(path, new Uint8Array(16));
    const open = (at: string, byteOffset: number) => () =>
      fromFile(other, { path: at, byteOffset }, [4], 'f32');
    expect(open(path, 0)().shape).toEqual([4]);
    expect(open(path, 4)).toThrow(coded('ERR_ARGUMENT', 'bytes 4 \\+ 16, got a file of 16'));
    expect(open(path, 3)).toThrow(coded('ERR_ARGUMENT', 'multiple of 4, got 3'));
    expect(open(path, -4)).toThrow(coded('ERR_ARGUMENT'));
    expect(open(join(folder, 'none'), 0)).toThrow(coded('ERR_ARGUMENT', 'No such file'));
    expect(open(folder, 0)).toThrow(coded('ERR_ARGUMENT', 'regular file'));
  });
});

describe('meta', () => {
  test('has shapes and memory but no data', async () => {
    await using meta = Device.open('meta');
    const x = to(fromArray(device, numbers(6), [2, 3], 'bf16'), meta);
    const y = add(x.permute([1, 0]), fromArray(meta, [1, 2], [2], 'f32'));
    expect([y.shape, y.dtype]).toEqual([[3, 2], 'bf16']);
    await expect(y.read()).rejects.toThrow(coded('ERR_UNSUPPORTED', 'read: device expected'));
    const back = to(x, device);
    await expect(device.synchronize()).rejects.toThrow(coded('ERR_UNSUPPORTED'));
    expect(back.shape).toEqual([2, 3]);
  });
});

describe('errors', () => {
  test('asynchronous failures carry the stack of the waiting call', async () => {
    await using meta = Device.open('meta');
    const x = empty(meta, [1], 'f32');
    async function theCaller(): Promise<void> {
      await x.read();
    }
    const error = await theCaller().catch((reason: Error) => reason);
    expect((error as Error).stack).toContain('theCaller');
    expect((error as Error).stack?.split('\n')[0]).toBe(
      'FramePackError: read: device expected one that holds data, got meta',
    );
  });

  test('decode of raw bits agrees with readFloat32', async () => {
    const x = fromArray(device, [0.1, -2.5, 1e6, 3e-5], [4], 'f16');
    expect(await x.readFloat32()).toEqual(decode(await x.read(), 'f16'));
  });
});
