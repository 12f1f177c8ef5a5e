import { afterAll, beforeAll, expect, test } from 'vitest';
import { dequantizeGgml, GGML_FORMATS, type GgmlType } from '../../src/ops/ggml.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { loadTensors } from '../../src/weights/tensor-file.ts';
import { conformance } from './conformance.ts';

conformance('ggml', 'cpu', { isa: 'avx2' });
conformance('ggml', 'cpu', { isa: 'avx512' });

let device: Device;
beforeAll(() => {
  device = Device.open('cpu');
});
afterAll(() => device.close());

const GOLDEN = new URL('../fixtures/golden/ggml/blocks.safetensors', import.meta.url);

test.each(Object.keys(GGML_FORMATS) as GgmlType[])('%s blocks are read as by gguf-py', (type) =>
  scope(async () => {
    const golden = loadTensors(device, GOLDEN.pathname);
    const blocks = golden.get(`${type}.blocks`) as Tensor<'u8'>;
    const expected = await golden.get(`${type}.values`)!.readFloat32();
    const actual = await dequantizeGgml(blocks, type, 'f32').readFloat32();
    expect(expected.length).toBeGreaterThan(0);
    expect([...actual]).toEqual([...expected]);
  }),
);

test('blocks may lie anywhere in their tensor', async () => {
  const bytes = Array.from({ length: 3 * 34 }, (_, i) => (i % 34 === 1 ? 60 : i % 34));
  using all = fromArray(device, Uint8Array.from(bytes), [bytes.length], 'u8');
  using whole = dequantizeGgml(all, 'Q8_0', 'f32');
  using second = dequantizeGgml(all.slice(0, 34, 68), 'Q8_0', 'f32');
  expect([...(await second.read())]).toEqual([...(await whole.slice(0, 32, 64).read())]);
});

test('half a block, another dtype and an unknown format are refused', () => {
  using bytes = fromArray(device, new Uint8Array(35), [35], 'u8');
  expect(() => dequantizeGgml(bytes, 'Q8_0', 'f32')).toThrow(
    'dequantizeGgml: blocks expected one axis of whole blocks of 34 bytes, got [35]',
  );
  expect(() => dequantizeGgml(bytes, 'Q3_K' as GgmlType, 'f32')).toThrow('got Q3_K');
  using floats = fromArray(device, [1], [1], 'f32');
  expect(() => dequantizeGgml(floats as never, 'Q8_0', 'f32')).toThrow('expected u8');
});
