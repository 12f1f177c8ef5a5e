import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { native, settle } from '../../src/tensor/native.ts';
import type { NativeBuffer, NativeDevice, NativeTensor } from '../../src/tensor/native-types.ts';

const OPTIONS = {
  threads: 1,
  isa: undefined,
  budgetBytes: undefined,
  ordinal: undefined,
  driver: undefined,
  isSynchronous: false,
};

test('exports.h, native-types.ts and the loaded addon list the same functions', () => {
  const read = (path: string): string =>
    readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const header = [...read('native/addon/exports.h').matchAll(/EXPORT\((\w+), \w+\)/g)];
  const contract = read('src/tensor/native-types.ts').match(
    /interface NativeModule \{[\s\S]*?^\}/m,
  );
  const methods = [...(contract?.[0] ?? '').matchAll(/^ {2}(\w+)\(/gm)];
  const namesOf = (matches: RegExpMatchArray[]): string[] => matches.map((m) => m[1]!).toSorted();
  expect(namesOf(methods)).toEqual(namesOf(header));
  const loaded = Object.entries(native()).filter(([, value]) => typeof value === 'function');
  expect(loaded.map(([name]) => name).toSorted()).toEqual(namesOf(header));
});

// src/ops checks shapes; what could corrupt memory is checked again behind the boundary.
describe('the boundary refuses', () => {
  const device = native().openDevice('cpu', OPTIONS);
  const buffer = native().allocate(device, 24);
  const tensor: NativeTensor = { buffer, dtype: 0, shape: [2, 3], strides: [3, 1], offset: 0 };
  const good = (): void => native().fill(device, { out: tensor, value: 1 });

  test.each([
    { name: 'a view that ends after its memory', change: { offset: 1 } },
    { name: 'a stride that leaves its memory', change: { strides: [4, 1] } },
    { name: 'a product that overflows', change: { shape: [2 ** 52, 3], strides: [2 ** 52, 1] } },
    { name: 'negative numbers', change: { strides: [-3, 1] } },
    { name: 'fractions', change: { offset: 0.5 } },
    { name: 'NaN', change: { shape: [Number.NaN, 3] } },
    { name: 'an unknown dtype', change: { dtype: 6 } },
    { name: 'no strides', change: { strides: undefined } },
    { name: 'unequal ranks', change: { strides: [1] } },
    { name: 'too many axes', change: { shape: Array(7).fill(1), strides: Array(7).fill(1) } },
    { name: 'a device for a buffer', change: { buffer: device } },
    { name: 'an object for a buffer', change: { buffer: {} } },
  ])('$name', ({ change }) => {
    const out = { ...tensor, ...change } as NativeTensor;
    expect(good).not.toThrow();
    expect(() => native().fill(device, { out, value: 1 })).toThrow(FramePackError);
  });

  test.each([undefined, null, 3, 'x', {}, [], () => 0])('%s for a device', (value) => {
    expect(() => native().memory(value as unknown as NativeDevice)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });

  test.each([undefined, null, 3, 'x'])('%s for arguments', (value) => {
    expect(() => native().fill(device, value as never)).toThrow(FramePackError);
    expect(() => native().fill(device, { out: value as never, value: 1 })).toThrow(FramePackError);
  });

  test('getters that throw pass their error on', () => {
    const hostile = {
      get out(): NativeTensor {
        throw new RangeError('mine');
      },
      value: 1,
    };
    expect(() => native().fill(device, hostile)).toThrow(new RangeError('mine'));
  });

  test('a released buffer, and a second release does nothing', () => {
    const dropped: NativeBuffer = native().allocate(device, 24);
    native().release(dropped);
    native().release(dropped);
    expect(() => native().fill(device, { out: { ...tensor, buffer: dropped }, value: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_DISPOSED', details: { operation: 'fill' } }),
    );
  });

  test('transfers beyond a buffer', () => {
    const upload = (offset: number, bytes: number) => () =>
      native().upload(device, buffer, offset, new Uint8Array(bytes));
    expect(upload(0, 24)).not.toThrow();
    expect(upload(8, 17)).toThrow(FramePackError);
    expect(upload(2 ** 52, 1)).toThrow(FramePackError);
    expect(() => native().download(device, buffer, 1, new ArrayBuffer(24))).toThrow(FramePackError);
  });
});

describe('settle', () => {
  test('gives a failure the stack of the call', async () => {
    const fail = (): Promise<never> => Promise.reject(new FramePackError('ERR_INTERNAL', 'op: x'));
    const error = await settle('op', fail).catch((reason: Error) => reason);
    expect(error.stack).toMatch(/^FramePackError: op: x\n.*native\.cpu\.test\.ts/);
  });

  test('leaves other errors and results alone', async () => {
    const other = new TypeError('other');
    await expect(settle('op', () => Promise.reject(other))).rejects.toBe(other);
    await expect(settle('op', () => Promise.resolve(5))).resolves.toBe(5);
  });
});
