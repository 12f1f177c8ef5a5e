import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cast, dequantizeFp8, full, quantizeFp8 } from '../../src/ops/copy.ts';
import { Device } from '../../src/tensor/device.ts';
import { type DType, fromBf16, fromF8E4M3, fromF16 } from '../../src/tensor/dtype.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { conformance } from './conformance.ts';

conformance('copy', 'cpu', { isa: 'avx2' });
conformance('copy', 'cpu', { isa: 'avx512' });

describe.each(['scalar', 'avx2', 'avx512'] as const)('number formats at level %s', (isa) => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('cpu', { isa });
  });
  afterAll(() => device.close());

  const FORMATS = [
    { dtype: 'f8e4m3', codes: new Uint8Array(256), decode: fromF8E4M3 },
    { dtype: 'f16', codes: new Uint16Array(65536), decode: fromF16 },
    { dtype: 'bf16', codes: new Uint16Array(65536), decode: fromBf16 },
  ] as const;

  test.each(FORMATS)('every $dtype code widens exactly and comes back', async (format) => {
    const codes = format.codes.map((_, code) => code);
    const x = fromArray(device, codes, [codes.length], format.dtype as DType);
    const wide = cast(x, 'f32');
    const numbers = await wide.read();
    const back = await cast(wide, format.dtype as DType).read();
    for (const code of codes) {
      const expected = format.decode(code);
      if (!Object.is(numbers[code], expected)) expect.fail(`code ${code}: ${numbers[code]}`);
      if (!Number.isNaN(expected) && back[code] !== code) expect.fail(`${code} -> ${back[code]}`);
    }
    expect(numbers.length).toBe(codes.length);
  });

  test('f8e4m3 saturates, rounds ties to even and keeps NaN', async () => {
    const numbers = [448, 464, 1e9, -Infinity, NaN, 17, 19, 2 ** -9, 2 ** -10, 1.5 * 2 ** -9, -0];
    const x = fromArray(device, numbers, [numbers.length], 'f32');
    const codes = await cast(x, 'f8e4m3').read();
    expect([...codes]).toEqual([0x7e, 0x7e, 0x7e, 0xfe, 0x7f, 0x58, 0x5a, 0x01, 0x00, 0x02, 0x80]);
  });

  test('quantises a row like the reference', async () => {
    const row = [0.013, -0.5, 0.2501, 1.7, -0.031, 0.0004, 0.9, -1.1];
    const weight = fromArray(device, row, [1, 8], 'bf16');
    const { data, scale } = quantizeFp8(weight, 'channel');
    expect((await scale.read())[0]).toBeCloseTo(0.00380162, 8);
    const codes = await data.read();
    expect([...codes]).toEqual([0x46, 0xf0, 0x68, 0x7e, 0xd0, 0x1d, 0x77, 0xf9]);

    // The reference stores the scale in bf16 and dequantises with that.
    const stored = cast(cast(scale, 'bf16'), 'f32');
    expect((await stored.read())[0]).toBeCloseTo(0.00379944, 8);
    const back = dequantizeFp8({ data, scale: stored, mode: 'channel' }, 'bf16');
    const numbers = await back.readFloat32();
    const expected = [
      0.013306, -0.48633, 0.24316, 1.70312, -0.030396, 0.00038528, 0.91016, -1.09375,
    ];
    for (const [index, number] of expected.entries()) {
      expect(numbers[index]! / number, `element ${index}`).toBeCloseTo(1, 4);
    }
  });

  test('fills a scalar', async () => {
    expect([...(await full(device, [], 'f32', -0.75).read())]).toEqual([-0.75]);
  });
});
