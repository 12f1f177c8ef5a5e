import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { writeSparseGguf } from '../full-size/sparse-gguf.ts';
import { ditInputs } from '../models/dit/dit-inputs.ts';
import { ditShapes } from '../models/dit/dit-tensors.ts';
import { tinyConfig } from '../models/tiny-framepack.ts';
import { tinyGguf } from '../models/tiny-gguf.ts';

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

test('the transformer is the same from GGUF as from the numbers in it', () =>
  scope(async () => {
    const { gguf, numbers } = await tinyGguf();
    writeFileSync(join(folder, 'transformer.gguf'), gguf);
    writeFileSync(join(folder, 'transformer.safetensors'), numbers);
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

const FULL_SIZE = parseDitConfig(OFFICIAL_CONFIGS.transformer);

test.each(Object.keys(GGML_FORMATS) as GgmlType[])('the 13B transformer loads from %s', (type) =>
  scope(async () => {
    const path = join(folder, 'full-size.gguf');
    writeSparseGguf(path, type, ditShapes(FULL_SIZE));
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
