import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';
import { LORA_FORMS, type RoleShapes } from '../../../src/weights/lora/lora-forms.ts';
import type { LoraRole } from '../../../src/weights/lora/lora-names.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const formOf = (name: string) => LORA_FORMS.find((form) => form.name === name)!;
const shapesOf = (shapes: Partial<Record<LoraRole, readonly [number, number]>>): RoleShapes =>
  new Map(Object.entries(shapes) as [LoraRole, readonly [number, number]][]);

describe('layouts', () => {
  it.each([
    ['LoRA', { down: [2, 5], up: [3, 2] }, [3, 5], 2],
    [
      'LoHa',
      { hada_w1_a: [3, 2], hada_w1_b: [2, 5], hada_w2_a: [3, 4], hada_w2_b: [4, 5] },
      [3, 5],
      2,
    ],
    ['LoKr', { lokr_w1: [2, 3], lokr_w2: [4, 5] }, [8, 15], null],
    ['LoKr', { lokr_w1: [2, 3], lokr_w2_a: [4, 6], lokr_w2_b: [6, 5] }, [8, 15], 6],
    ['LoKr', { lokr_w1_a: [2, 1], lokr_w1_b: [1, 3], lokr_w2: [4, 5] }, [8, 15], 1],
    ['diff', { diff: [3, 5] }, [3, 5], null],
    ['diff_b', { diff_b: [3, 1] }, [3, 1], null],
  ] as const)('%s of %j', (name, shapes, shape, rank) => {
    expect(formOf(name).layout(shapesOf(shapes))).toEqual({ shape, rank });
  });

  it.each([
    ['LoRA', { down: [2, 5] }],
    ['LoRA', { up: [3, 2] }],
    ['LoRA', { down: [2, 5], up: [3, 4] }],
    ['LoRA', { down: [0, 5], up: [3, 0] }],
    ['LoHa', { hada_w1_a: [3, 2], hada_w1_b: [2, 5], hada_w2_a: [3, 4] }],
    ['LoHa', { hada_w1_a: [3, 2], hada_w1_b: [2, 5], hada_w2_a: [3, 4], hada_w2_b: [4, 6] }],
    ['LoKr', { lokr_w1: [2, 3] }],
    ['LoKr', { lokr_w1: [2, 3], lokr_w1_a: [2, 1], lokr_w2: [4, 5] }],
  ] as const)('%s refuses %j', (name, shapes) => {
    expect(formOf(name).layout(shapesOf(shapes))).toBeNull();
  });
});

describe('deltas', () => {
  it('are what their shapes say: a Kronecker product, by hand', async () => {
    const values: Record<string, number[]> = { lokr_w1: [1, 2], lokr_w2: [1, 10, 100, 1000] };
    const shapes = shapesOf({ lokr_w1: [1, 2], lokr_w2: [2, 2] });
    const delta = formOf('LoKr').delta(
      (role) => fromArray(device, values[role]!, [...shapes.get(role)!], 'f32'),
      shapes,
    );
    expect(delta.shape).toEqual([2, 4]);
    expect([...(await delta.read())]).toEqual([1, 10, 2, 20, 100, 1000, 200, 2000]);
  });
});
