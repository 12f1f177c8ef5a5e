import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import type { ScaledWeight, Tensor } from '../../../src/tensor/tensor.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { LoraEdits } from '../../../src/weights/lora/lora-edits.ts';
import { matchLora } from '../../../src/weights/lora/lora-file.ts';
import { LoraModules } from '../../../src/weights/lora/lora-modules.ts';
import { buildSafetensors, bytesOf, f32, type RawTensor } from '../../build-safetensors.ts';
import { pair, writeLora } from './lora-files.ts';

let folder: string;
let device: Device;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-edits-'));
  device = Device.open('cpu', { threads: 1 });
});
afterEach(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

async function openBase(weight: RawTensor, on: Device = device): Promise<Checkpoint> {
  const path = join(folder, 'model.safetensors');
  const other = f32([1], [7]);
  writeFileSync(path, buildSafetensors({ 'a.weight': weight, 'b.weight': other }));
  return Checkpoint.open(on, path);
}

/** A LoRA that adds 2 to every element. */
async function editsFor(checkpoint: Checkpoint, scale: number): Promise<LoraEdits> {
  const file = writeLora(folder, pair('a', [2, 2, 2]));
  const lora = matchLora(file, checkpoint, new LoraModules(checkpoint));
  return LoraEdits.open(checkpoint.device, [{ lora, scale }]);
}

describe('LoraEdits', () => {
  it('changes what the LoRA names and nothing else, and frees the rest', async () => {
    const checkpoint = await openBase(f32([2, 2], [1, 2, 3, 4]));
    const root = checkpoint.scope().edited(await editsFor(checkpoint, 0.5));
    await scope(async () => {
      const changed = root.at('a').takeWeight('weight', [2, 2]) as Tensor;
      const kept = root.take('b.weight', [1]);
      expect([...(await changed.readFloat32())]).toEqual([2, 3, 4, 5]);
      expect([...(await kept.readFloat32())]).toEqual([7]);
      await device.synchronize();
      expect(device.memory().liveTensors).toBe(2);
    });
  });

  it('with scale 0 changes nothing at all', async () => {
    const checkpoint = await openBase(f32([2, 2], [1, 2, 3, 4]));
    const edits = await editsFor(checkpoint, 0);
    expect(edits.changes('a.weight')).toBe(false);
    await scope(async () => {
      const taken = checkpoint.scope().edited(edits).take('a.weight', [2, 2]);
      expect([...(await taken.readFloat32())]).toEqual([1, 2, 3, 4]);
    });
  });

  it('rounds an fp8 weight that it changed to fp8 again, as it was scaled', async () => {
    const ones = new Uint8Array(4).fill(0x38);
    const path = join(folder, 'fp8.safetensors');
    const tensors = {
      'a.weight': { dtype: 'F8_E4M3', shape: [2, 2], data: ones },
      'a.scale_weight': f32([1], [3]),
    };
    writeFileSync(path, buildSafetensors(tensors));
    const checkpoint = await Checkpoint.open(device, path);
    const edits = await editsFor(checkpoint, 1);
    await scope(async () => {
      const weight = checkpoint.scope().edited(edits).takeWeight('a.weight', [2, 2]);
      const { data, scale, mode } = weight as ScaledWeight;
      expect([data.dtype, mode]).toEqual(['f8e4m3', 'tensor']);
      // 3 of the weight and 2 of the LoRA are the largest number of their group, which fp8 calls 448.
      expect([...(await data.readFloat32())]).toEqual([448, 448, 448, 448]);
      expect([...(await scale.read())][0]).toBeCloseTo(5 / 448, 7);
      await device.synchronize();
      expect(device.memory().liveTensors).toBe(2);
    });
  });

  it('rounds once to the type of the weight', async () => {
    // 1 + 2^-9 + 2^-9: each addend alone is lost in bf16, both together are not.
    const one = { dtype: 'BF16', shape: [2, 2], data: bytesOf(new Uint16Array(4).fill(0x3f80)) };
    const checkpoint = await openBase(one);
    const file = writeLora(folder, pair('a', [2, 2, 1]));
    const lora = matchLora(file, checkpoint, new LoraModules(checkpoint));
    const scale = 2 ** -8.9;
    const edits = await LoraEdits.open(device, [
      { lora, scale },
      { lora, scale },
    ]);
    await scope(async () => {
      const weight = checkpoint.scope().edited(edits).take('a.weight', [2, 2]);
      expect(weight.dtype).toBe('bf16');
      expect([...(await weight.readFloat32())]).toEqual(new Array(4).fill(1 + 2 ** -7));
    });
  });

  it('has shapes alone on the device for them', async () => {
    await using meta = Device.open('meta');
    const checkpoint = await openBase(f32([2, 2], [1, 2, 3, 4]), meta);
    const edits = await editsFor(checkpoint, 1);
    await scope(async () => {
      expect(checkpoint.scope().edited(edits).take('a.weight', [2, 2]).shape).toEqual([2, 2]);
    });
  });
});
