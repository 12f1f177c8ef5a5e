import { totalmem } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { add, exp } from '../../src/ops/elementwise.ts';
import { linear } from '../../src/ops/linear.ts';
import { Device, type DeviceOptions } from '../../src/tensor/device.ts';
import { empty, fromArray } from '../../src/tensor/tensor.ts';

const MIB = 1 << 20;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('open', () => {
  test.each([
    ['kind', 'tpu', {}],
    ['kind', undefined, {}],
    ['threads', 'cpu', { threads: 0 }],
    ['threads', 'cpu', { threads: 1.5 }],
    ['threads', 'cpu', { threads: Number.NaN }],
    ['threads', 'cpu', { threads: '2' }],
    ['threads', 'cpu', { threads: 2 ** 53 }],
    ['budgetBytes', 'cpu', { budgetBytes: -1 }],
    ['budgetBytes', 'cpu', { budgetBytes: null }],
    ['ordinal', 'cpu', { ordinal: -1 }],
    ['isa', 'cpu', { isa: 'sse' }],
    ['isa', 'cpu', { isa: '' }],
  ])('refuses a bad %s', (argument, kind, options) => {
    expect(() => Device.open(kind as 'cpu', options as DeviceOptions)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: expect.stringMatching(`^Device.open: ${argument} expected .*, got `),
      }),
    );
  });

  test('describes the device', async () => {
    await using cpu = Device.open('cpu', { threads: 3, isa: 'scalar' });
    expect(cpu.describe()).toMatchObject({ kind: 'cpu', isa: 'scalar', threads: 3 });
    expect(cpu.describe().name).not.toBe('');
    await using meta = Device.open('meta');
    expect(meta.describe()).toEqual({ kind: 'meta', name: 'meta' });
  });

  test('environment variables are defaults', async () => {
    vi.stubEnv('FRAMEPACK_THREADS', '3');
    vi.stubEnv('FRAMEPACK_CPU_ISA', 'scalar');
    await using fromEnvironment = Device.open('cpu');
    expect(fromEnvironment.describe()).toMatchObject({ isa: 'scalar', threads: 3 });
    await using fromOptions = Device.open('cpu', { threads: 1 });
    expect(fromOptions.describe().threads).toBe(1);
    vi.stubEnv('FRAMEPACK_THREADS', 'many');
    await using again = Device.open('cpu', { threads: 2 });
    expect(again.describe().threads).toBe(2);
  });

  test.each([
    ['FRAMEPACK_THREADS', 'many', 'a whole number in [1, 1024]'],
    ['FRAMEPACK_THREADS', '0', 'a whole number in [1, 1024]'],
    ['FRAMEPACK_CPU_ISA', 'mmx', 'scalar, neon, avx2, avx512, amx'],
    ['FRAMEPACK_SYNC', 'yes', '0 or 1'],
  ])('the error of %s=%s names the variable', (name, value, expected) => {
    vi.stubEnv(name, value);
    const message = `Device.open: ${name} expected ${expected}, got "${value}"`;
    const error = expect.objectContaining({ code: 'ERR_ARGUMENT', message }) as Error;
    expect(() => Device.open('cpu')).toThrow(error);
  });

  test('the error of a CUDA driver from the environment names the variable', () => {
    vi.stubEnv('FRAMEPACK_CUDA_DRIVER', 'libnone.so');
    expect(() => Device.open('cuda')).toThrow(
      /libnone\.so.*; FRAMEPACK_CUDA_DRIVER is "libnone.so"$/,
    );
  });

  test('FRAMEPACK_SYNC runs every operation at once', async () => {
    vi.stubEnv('FRAMEPACK_SYNC', '1');
    await using device = Device.open('cpu');
    const x = fromArray(device, [1, 2], [2], 'f32');
    expect(await add(x, x).read()).toEqual(new Float32Array([2, 4]));
  });
});

describe('memory', () => {
  test.each(['cpu', 'meta'] as const)('%s counts steps of 256 bytes and the peak', async (kind) => {
    await using device = Device.open(kind);
    const a = empty(device, [1], 'u8');
    const b = empty(device, [257], 'u8');
    const none = empty(device, [0], 'f32');
    expect(device.memory()).toEqual({
      currentBytes: 768,
      peakBytes: 768,
      budgetBytes: null,
      liveTensors: 3,
    });
    for (const tensor of [b, none]) tensor.dispose();
    expect(device.memory()).toMatchObject({ currentBytes: 256, peakBytes: 768, liveTensors: 1 });
    device.resetPeak();
    expect(device.memory().peakBytes).toBe(256);
    a.dispose();
  });

  test('cpu and meta report the same peak for the same program', async () => {
    const peakOf = async (kind: 'cpu' | 'meta'): Promise<number> => {
      await using device = Device.open(kind);
      let x = fromArray(device, new Float32Array(32 * 48), [32, 48], 'bf16');
      const weight = fromArray(device, new Float32Array(48 * 48), [48, 48], 'f32');
      for (let layer = 0; layer < 4; layer++) {
        const next = add(linear(x, weight), x);
        x.dispose();
        x = next;
      }
      await device.synchronize();
      return device.memory().peakBytes;
    };
    expect(await peakOf('cpu')).toBe(await peakOf('meta'));
  });

  test('freed memory is reused within the order of the stream', async () => {
    await using device = Device.open('cpu');
    const ones = fromArray(device, new Float32Array(1000).fill(1), [1000], 'f32');
    let x = add(ones, 0);
    for (let step = 0; step < 200; step++) {
      const next = add(x, ones);
      x.dispose();
      x = next;
    }
    expect(new Set(await x.read())).toEqual(new Set([201]));
    expect(device.memory().peakBytes).toBe(3 * 4096);
  });
});

describe('memory that is not there', () => {
  test('a budget fails allocations and then goes on', async () => {
    await using device = Device.open('cpu', { budgetBytes: 2 * MIB });
    const first = empty(device, [MIB], 'u8');
    expect(() => empty(device, [MIB + 1], 'u8')).toThrow(
      expect.objectContaining({
        code: 'ERR_OUT_OF_MEMORY',
        message: expect.stringContaining(
          'budget expected at most 2097152 bytes, got 1048576 in use',
        ),
      }),
    );
    expect(device.memory()).toMatchObject({ currentBytes: MIB, peakBytes: MIB, liveTensors: 1 });
    first.dispose();
    expect(empty(device, [2 * MIB], 'u8').size).toBe(2 * MIB);
  });

  // The second is less than Linux promises, but more than it could keep.
  test.each([2 ** 50, totalmem()])('%d bytes fail without a crash', async (bytes) => {
    await using device = Device.open('cpu');
    expect(() => empty(device, [bytes], 'u8')).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }),
    );
    expect(device.memory().currentBytes).toBe(0);
  });
});

describe('waiting', () => {
  test('the event loop runs while the device works', async () => {
    await using device = Device.open('cpu', { threads: 1, isa: 'scalar' });
    const x = fromArray(device, new Float32Array(128 * 128).fill(0.01), [128, 128], 'f32');
    const start = performance.now();
    for (let i = 0; i < 30; i++) linear(x, x).dispose();
    const enqueuedMs = performance.now() - start;
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    await device.synchronize();
    clearInterval(timer);
    const totalMs = performance.now() - start;
    expect(enqueuedMs).toBeLessThan(totalMs / 2);
    expect(ticks).toBeGreaterThan(3);
  });

  test('fences settle in order, also beside reads', async () => {
    await using device = Device.open('cpu');
    const x = fromArray(device, [0], [1], 'f32');
    const order: string[] = [];
    const note = (name: string) => (): void => {
      order.push(name);
    };
    await Promise.all([
      device.fence().then(note('first')),
      x.read().then(note('read')),
      device.synchronize().then(note('second')),
    ]);
    expect(order.toSorted()).toEqual(['first', 'read', 'second']);
    expect(order.indexOf('first')).toBeLessThan(order.indexOf('second'));
  });
});

describe('close', () => {
  test('runs what is queued first, is idempotent and frees everything', async () => {
    const device = Device.open('cpu');
    const x = fromArray(device, [1, 2, 3], [3], 'f32');
    const reading = exp(add(x, 1)).read();
    const closing = device.close();
    expect(device.close()).toBe(closing);
    expect(device.isClosed).toBe(true);
    expect((await reading)[0]).toBeCloseTo(Math.exp(2), 5);
    await closing;
  });

  test.each(['cpu', 'meta'] as const)('%s refuses work afterwards', async (kind) => {
    const device = Device.open(kind);
    const x = empty(device, [2], 'f32');
    await device.close();
    const disposed = expect.objectContaining({ code: 'ERR_DISPOSED' });
    expect(() => add(x, x)).toThrow(disposed);
    expect(() => empty(device, [2], 'f32')).toThrow(disposed);
    await expect(x.read()).rejects.toThrow(disposed);
    await expect(device.synchronize()).rejects.toThrow(disposed);
    x.dispose();
    expect(device.memory()).toMatchObject({ currentBytes: 0, liveTensors: 0 });
  });
});
