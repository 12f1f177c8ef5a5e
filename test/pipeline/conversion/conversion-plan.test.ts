import { describe, expect, test } from 'vitest';
import {
  type ConversionChoice,
  type ConversionStep,
  planConversion,
} from '../../../src/pipeline/conversion/conversion-plan.ts';
import type { DType } from '../../../src/tensor/dtype.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';
import { comfyQuantFp8, kijaiFp8, musubiFp8, storedAs } from '../../full-size/public-layouts.ts';
import { bytesOfTensor, type HeaderTensor, type StoredName } from '../../full-size/sparse-file.ts';

const DTYPES: Readonly<Record<StoredName, DType | null>> = {
  ...{ F32: 'f32', F16: 'f16', BF16: 'bf16', F8_E4M3: 'f8e4m3', F8_E5M2: 'f16', U8: 'u8' },
  I64: null,
};
const TRANSFORMER = officialShapes().transformer;
interface Changed {
  changes(name: string): boolean;
}
const NOTHING: Changed = { changes: () => false };
const EVERYTHING: Changed = { changes: () => true };
const QUERY = 'transformer_blocks.3.attn.to_q.weight';
const EMBEDDER = 'x_embedder.proj.weight';

function networkOf(tensors: readonly HeaderTensor[], wideType: 'f16' | 'bf16' = 'bf16') {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    ...{ wideType, noted: new Set<string>() },
    names: () => [...byName.keys()],
    has: (name: string) => byName.has(name),
    entryOf: (name: string) => {
      const { dtype, shape } = byName.get(name)!;
      return { name, storedType: dtype, dtype: DTYPES[dtype], shape, byteOffset: 0, byteLength: 0 };
    },
    note(name: string) {
      this.noted.add(name);
    },
  };
}

function plan(
  tensors: readonly HeaderTensor[],
  choice: Partial<ConversionChoice>,
  changed: Changed = NOTHING,
) {
  return planConversion(networkOf(tensors), changed, { fp8: null, dtype: null, ...choice });
}

function outputs(steps: readonly ConversionStep[]): HeaderTensor[] {
  const all = steps.flatMap((step) =>
    step.action === 'quantize' ? [step.output, step.scale] : [step.output],
  );
  return all.map(({ name, storedType, shape }) => ({
    name,
    dtype: storedType as StoredName,
    shape,
  }));
}

const stepOf = (steps: readonly ConversionStep[], name: string): ConversionStep =>
  steps.find(({ output }) => output.name === name)!;
const sorted = (tensors: readonly HeaderTensor[]): HeaderTensor[] =>
  tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe('the released transformer in fp8', () => {
  const source = storedAs('BF16', TRANSFORMER);

  test.each([
    ['block64', 'block'],
    ['channel', 'channel'],
    ['tensor', 'tensor'],
  ] as const)('%s has the names, types and shapes of musubi-tuner', (fp8, mode) => {
    const { steps, numQuantized, numKept } = plan(source, { fp8 });
    expect(sorted(outputs(steps))).toEqual(sorted(musubiFp8(source, mode)));
    expect({ numQuantized, numKept }).toEqual({ numQuantized: 440, numKept: 0 });
  });

  test('takes 16.69 GB, and 0.28 GB more for the scales of blocks', () => {
    const size = (fp8: 'tensor' | 'block64') =>
      outputs(plan(source, { fp8 }).steps).reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
    const [perTensor, perBlock] = [size('tensor'), size('block64')];
    expect(perTensor - 2 * 440).toBe(9_059_696_640 + 2 * 3_814_618_176);
    expect(perBlock - perTensor).toBe(2 * (9_059_696_640 / 64 - 440));
  });

  test('keeps what is fp8 already, whatever it was called', () => {
    const { steps, numQuantized, numKept } = plan(comfyQuantFp8(source), { fp8: 'block64' });
    expect({ numQuantized, numKept }).toEqual({ numQuantized: 0, numKept: 440 });
    const names = outputs(steps).map(({ name }) => name);
    expect(names).toContain('transformer_blocks.3.attn.to_q.scale_weight');
    expect(names.filter((name) => /comfy_quant|weight_scale/.test(name))).toEqual([]);
  });

  test('rounds what a LoRA changes as it was before', () => {
    const only = { changes: (name: string) => name === QUERY };
    for (const mode of ['block', 'channel', 'tensor'] as const) {
      const { steps, numQuantized } = plan(musubiFp8(source, mode), {}, only);
      expect(numQuantized).toBe(1);
      const expected = mode === 'block' ? 'block64' : mode;
      expect(stepOf(steps, QUERY)).toMatchObject({
        mode: expected,
        from: 'f32',
        scaleType: 'bf16',
      });
    }
  });

  test('has a scale for each row where 64 does not divide it', () => {
    const odd = storedAs('BF16', { 'transformer_blocks.0.ff.net.2.weight': [8, 96] });
    const [step] = plan(odd, { fp8: 'block64' }).steps;
    expect(step).toMatchObject({ mode: 'channel', scale: { shape: [8, 1] } });
  });

  test.each([
    ['F32', 'F32'],
    ['F16', 'F32'],
    ['BF16', 'BF16'],
    ['F8_E5M2', 'BF16'],
  ] as const)('of %s has scales of %s', (stored, scale) => {
    const { steps } = plan(storedAs(stored, { [QUERY]: [64, 64] }), { fp8: 'tensor' });
    expect(steps[0]).toMatchObject({ scale: { storedType: scale } });
  });

  test('has scales of the type of the other tensors', () => {
    const { steps } = plan(storedAs('F32', { [QUERY]: [64, 64] }), {
      fp8: 'tensor',
      dtype: 'bf16',
    });
    expect(steps[0]).toMatchObject({ from: 'f32', scale: { storedType: 'BF16' } });
  });
});

describe('the transformer in another type', () => {
  test('copies what has it', () => {
    const { steps } = plan(storedAs('BF16', TRANSFORMER), { dtype: 'bf16' });
    expect(new Set(steps.map(({ action }) => action))).toEqual(new Set(['copy']));
  });

  test('widens fp8, with scales and without', () => {
    const wide = storedAs('BF16', TRANSFORMER);
    for (const narrow of [musubiFp8(wide, 'block'), comfyQuantFp8(wide), kijaiFp8(wide)]) {
      const { steps } = plan(narrow, { dtype: 'bf16' });
      expect(sorted(outputs(steps))).toEqual(sorted(wide));
    }
  });

  test('leaves integers', () => {
    const { steps } = plan([{ name: 'counts', dtype: 'I64', shape: [2] }], { dtype: 'f32' });
    expect(steps[0]).toMatchObject({ action: 'copy', output: { storedType: 'I64' } });
  });
});

describe('the transformer with a LoRA', () => {
  test('keeps its types', () => {
    const source = storedAs('BF16', TRANSFORMER);
    const { steps } = plan(source, {}, EVERYTHING);
    expect(outputs(steps)).toEqual(source);
    expect(new Set(steps.map(({ action }) => action))).toEqual(new Set(['cast']));
  });

  test('widens changed fp8 outside the blocks', () => {
    const { steps } = plan(kijaiFp8(storedAs('BF16', TRANSFORMER)), {}, EVERYTHING);
    expect(stepOf(steps, EMBEDDER).output.storedType).toBe('BF16');
    expect(stepOf(steps, QUERY)).toMatchObject({ action: 'quantize', mode: 'tensor' });
  });
});

test('all that belongs to the network is noted', () => {
  const network = networkOf(comfyQuantFp8(storedAs('BF16', TRANSFORMER)));
  const { used } = planConversion(network, NOTHING, { fp8: 'tensor', dtype: null });
  expect(network.names().filter((name) => !network.noted.has(name))).toEqual([]);
  expect(
    network.names().filter((name) => !(used.has(name) || name.endsWith('comfy_quant'))),
  ).toEqual([]);
});

test('scales that nobody knows are not', () => {
  const strange = 'transformer_blocks.3.attn.to_q.weight_scale_2';
  const network = networkOf(storedAs('BF16', { [QUERY]: [64, 64], [strange]: [1] }));
  const { steps } = planConversion(network, NOTHING, { fp8: 'tensor', dtype: null });
  expect(steps).toHaveLength(1);
  expect([...network.noted]).toEqual([QUERY]);
});
