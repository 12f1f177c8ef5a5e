import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import { Dit } from '../../src/models/dit/dit.ts';
import { GGML_FORMATS, type GgmlType } from '../../src/ops/ggml.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import { buildGguf, encodeQ8, type GgufEntry, type GgufTensor, ggufHeader } from '../build-gguf.ts';
import { buildSafetensors, bytesOf, f32 } from '../build-safetensors.ts';
import { ditInputs } from '../models/dit/dit-inputs.ts';
import { ditShapes } from '../models/dit/dit-tensors.ts';
import { TINY_MODEL, tinyConfig } from '../models/tiny-framepack.ts';

const Q8_0 = 8;
const F32 = 0;
let device: Device;
let folder: string;
beforeAll(() => {
  device = Device.open('cpu');
  folder = mkdtempSync(join(tmpdir(), 'gguf-transformer-'));
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

const isMatrix = (shape: readonly number[]): boolean =>
  shape.length > 1 && shape.slice(1).reduce((product, extent) => product * extent, 1) % 32 === 0;

/** The numbers in blocks of Q8_0 with scales that are powers of two: they fit bf16. */
function decodeQ8(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: (bytes.length / 34) * 32 }, (_, i) => {
    const block = Math.floor(i / 32) * 34;
    return view.getInt8(block + 2 + (i % 32)) * 2 ** ((view.getUint16(block, true) >> 10) - 15);
  });
}

test('the transformer is the same from GGUF as from the numbers in it', () =>
  scope(async () => {
    const stored = await Checkpoint.open(device, `${TINY_MODEL}/transformer`);
    const gguf: GgufTensor[] = [];
    const plain: Parameters<typeof buildSafetensors>[0] = {};
    const shapes: Record<string, readonly number[]> = {};
    for (const { name, shape } of stored.entries()) {
      const values = stored.takeFloat32(name, shape);
      if (!isMatrix(shape)) {
        gguf.push({ name, shape, type: F32, data: bytesOf(values) });
        Object.assign(plain, { [name]: f32(shape, [...values]) });
        continue;
      }
      const data = encodeQ8(values);
      const flat = [shape[0]!, values.length / shape[0]!];
      gguf.push({ name, shape: flat, type: Q8_0, data });
      shapes[`comfy.gguf.orig_shape.${name}`] = shape;
      Object.assign(plain, { [name]: f32(shape, decodeQ8(data)) });
    }
    writeFileSync(join(folder, 'transformer.gguf'), buildGguf(gguf, shapes));
    writeFileSync(join(folder, 'transformer.safetensors'), buildSafetensors(plain));

    const config = parseDitConfig(tinyConfig('transformer'));
    const velocities = [];
    for (const file of ['transformer.gguf', 'transformer.safetensors']) {
      const checkpoint = await Checkpoint.open(device, join(folder, file));
      const dit = Dit.load(checkpoint.scope(), config, 'f32');
      checkpoint.assertUsed();
      const velocity = await dit.forward(ditInputs(device, config));
      velocities.push(await velocity.readFloat32());
    }
    const [fromGguf, fromNumbers] = velocities;
    expect(fromGguf!.some((value) => value !== 0)).toBe(true);
    expect(fromGguf).toEqual(fromNumbers);
  }));

/** A file of the 13B transformer with a hole where the data belongs: matrices in blocks, the rest in f32. */
function writeSparseTransformer(path: string, type: GgmlType): void {
  const { code, elements, bytes } = GGML_FORMATS[type];
  const shapes: Record<string, readonly number[]> = {};
  const tensors = Object.entries(ditShapes(FULL_SIZE)).map(([name, shape]): GgufEntry => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const isBlocks = shape.length === 2 && shape[1]! % elements === 0;
    if (shape.length > 4) shapes[`comfy.gguf.orig_shape.${name}`] = shape;
    return {
      name,
      shape: shape.length > 4 ? [shape[0]!, size / shape[0]!] : shape,
      type: isBlocks ? code : F32,
      byteLength: isBlocks ? (size / elements) * bytes : size * 4,
    };
  });
  writeFileSync(path, ggufHeader(tensors, shapes));
  const end = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  truncateSync(path, ggufHeader(tensors, shapes).length + end);
}

const FULL_SIZE = parseDitConfig(OFFICIAL_CONFIGS.transformer);

test.each(Object.keys(GGML_FORMATS) as GgmlType[])('the 13B transformer loads from %s', (type) =>
  scope(async () => {
    const path = join(folder, 'full-size.gguf');
    writeSparseTransformer(path, type);
    await using meta = Device.open('meta');
    const checkpoint = await Checkpoint.open(meta, path);
    const dit = Dit.load(checkpoint.scope(), FULL_SIZE, 'bf16');
    checkpoint.assertUsed();
    expect(dit.leftOver).toEqual([]);
    // Held as numbers: 12,874,314,816 in bf16.
    expect(meta.memory().currentBytes).toBeCloseTo(2 * 12_874_314_816, -7);
    await dit.forward(ditInputs(meta, FULL_SIZE, { height: 60, width: 104 }));
  }),
);
