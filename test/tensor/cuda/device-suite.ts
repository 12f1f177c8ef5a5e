import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { to } from '../../../src/ops/copy.ts';
import { add } from '../../../src/ops/elementwise.ts';
import { linear } from '../../../src/ops/linear.ts';
import { groupNorm } from '../../../src/ops/norm.ts';
import { sum } from '../../../src/ops/reduce.ts';
import { Device, type DeviceKind } from '../../../src/tensor/device.ts';
import { native } from '../../../src/tensor/native.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { empty, fromArray, fromFile } from '../../../src/tensor/tensor.ts';

const MIB = 1 << 20;
/** Numbers of two and a half pieces of the staging ring, so that pieces and a rest are under way. */
const LARGE = (10 * MIB) / 4 + 3;

/** What a CUDA device does besides computing. */
export function deviceSuite(): void {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  describe('open', () => {
    test('describes GPU, architecture and driver', async () => {
      await using device = Device.open('cuda');
      expect(device.describe()).toMatchObject({
        kind: 'cuda',
        name: expect.stringMatching(/./),
        architecture: expect.stringMatching(/^sm_\d+$/),
        driver: expect.stringMatching(/^CUDA \d+\.\d+$/),
      });
    });

    test('refuses a GPU that is not there', () => {
      expect(() => Device.open('cuda', { ordinal: 1000 })).toThrow(
        expect.objectContaining({
          code: 'ERR_ARGUMENT',
          message: expect.stringMatching(
            /^Device\.open: ordinal expected less than \d+, got 1000$/,
          ),
        }),
      );
    });
  });

  dataSuite();
  memorySuite();

  test('an operation without a kernel for its types names both', async () => {
    await using device = Device.open('cuda');
    const { native: x } = fromArray(device, [1, 2], [1, 1, 2], 'i32');
    const call = { a: x, weight: x, out: x, activation: 0, scaleMode: 0 };
    const missing = { scale: undefined, bias: undefined, residual: undefined, gate: undefined };
    expect(() => native().matmul(device.native, { ...call, ...missing })).toThrow(
      expect.objectContaining({
        code: 'ERR_UNSUPPORTED',
        message: 'matmul: a expected f32, f16 or bf16, got i32',
      }),
    );
  });

  test('FRAMEPACK_SYNC runs every operation at once', async () => {
    vi.stubEnv('FRAMEPACK_SYNC', '1');
    await using device = Device.open('cuda');
    const x = fromArray(device, [1, 2], [2], 'f32');
    expect(await add(x, x).read()).toEqual(new Float32Array([2, 4]));
  });

  test('two devices work at once, each in its own order', async () => {
    await using first = Device.open('cuda');
    await using second = Device.open('cuda');
    const results = [first, second].map((device, index) => {
      let x = fromArray(device, [index], [1], 'f32');
      for (let i = 0; i < 100; i++) x = add(x, 1);
      return x.read();
    });
    expect((await Promise.all(results)).map(([value]) => value)).toEqual([100, 101]);
  });
}

function dataSuite(): void {
  describe('data', () => {
    const numbers = Float32Array.from({ length: LARGE }, (_, index) => index % 65_521);

    test('comes back as it went, through more pieces than are under way at once', async () => {
      await using device = Device.open('cuda');
      const reads = [1, 2, 3].map(() => fromArray(device, numbers, [LARGE], 'f32').read());
      for (const read of await Promise.all(reads)) expectSameBytes(read, numbers);
    });

    test('comes from files', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'framepack-file-'));
      const path = join(folder, 'numbers');
      writeFileSync(path, new Uint8Array(numbers.buffer));
      await using device = Device.open('cuda');
      const x = fromFile(device, { path, byteOffset: 8 }, [LARGE - 2], 'f32');
      expectSameBytes(await x.read(), numbers.slice(2));
      rmSync(folder, { recursive: true });
    });

    test('goes from device to device', async () => {
      await using cuda = Device.open('cuda');
      await using cpu = Device.open('cpu');
      let x = fromArray(cpu, [1, 2, 3], [3], 'f32');
      for (let i = 0; i < 20; i++) x = to(add(to(x, cuda), 1), cpu);
      expect(await x.read()).toEqual(new Float32Array([21, 22, 23]));
    });
  });
}

/** Deep equality of large arrays takes a minute. */
function expectSameBytes(actual: Float32Array, expected: Float32Array): void {
  expect(Buffer.compare(Buffer.from(actual.buffer), Buffer.from(expected.buffer))).toBe(0);
}

function memorySuite(): void {
  describe('memory', () => {
    test('has the same current and peak bytes as on the CPU', async () => {
      const counts = await Promise.all((['cpu', 'cuda', 'meta'] as const).map(countBytes));
      expect(counts[1]).toEqual(counts[0]);
      expect(counts[2]).toEqual(counts[0]);
      expect(counts[0]!.peakBytes).toBeGreaterThan(counts[0]!.currentBytes);
    });

    test('beyond the budget is refused, and the next operation works', async () => {
      await using device = Device.open('cuda', { budgetBytes: MIB });
      expect(() => empty(device, [MIB], 'f32')).toThrow(
        expect.objectContaining({
          code: 'ERR_OUT_OF_MEMORY',
          message: expect.stringContaining('budget expected at most 1048576 bytes'),
        }),
      );
      const x = fromArray(device, [1], [1], 'f32');
      expect(await add(x, x).read()).toEqual(new Float32Array([2]));
    });
  });
}

/** Bytes of one program with short-lived tensors, operations with workspaces, and a result that stays. */
async function countBytes(
  kind: DeviceKind,
): Promise<{ currentBytes: number; peakBytes: number; liveTensors: number }> {
  await using device = Device.open(kind);
  const kept = scope(() => {
    const x = fromArray(device, new Float32Array(64 * 64).fill(0.5), [1, 64, 64], 'f32');
    const affine = fromArray(device, new Float32Array(64).fill(1), [64], 'f32');
    let y = groupNorm(x, affine, affine, { groups: 4, eps: 1e-6 });
    for (let i = 0; i < 5; i++) y = scope(() => add(linear(y, y.reshape([64, 64])), x));
    return sum(y, { axes: [0, 1, 2] });
  });
  const { currentBytes, peakBytes, liveTensors } = device.memory();
  if (kind !== 'meta') await kept.read();
  return { currentBytes, peakBytes, liveTensors };
}
