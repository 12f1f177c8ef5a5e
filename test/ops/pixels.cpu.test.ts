import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromRgb, toRgb } from '../../src/ops/pixels.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { patternImage } from '../media/sample-media.ts';

/** The definition, one number after the other. */
function byteOf(value: number): number {
  const clamped = Math.min(Math.max(value, -1), 1);
  return Math.trunc(Math.fround(Math.fround(clamped * 127.5) + 127.5)) || 0;
}

describe.each(['scalar', 'avx2', 'avx512'] as const)('pictures at level %s', (isa) => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('cpu', { isa });
  });
  afterAll(() => device.close());

  test('clamps, scales and truncates', async () => {
    const values = [-2, -1, -0.999, 0, 0.001, 0.5, 0.999999, 1, 3, Number.NaN];
    const clip = new Float32Array(values.length * 3);
    clip.set(values);
    const bytes = await toRgb(fromArray(device, clip, [3, 1, 1, 10], 'f32')).read();
    const red = [...bytes].filter((_, index) => index % 3 === 0);
    expect(red).toEqual([0, 0, 0, 127, 127, 191, 254, 255, 255, 0]);
  });

  test('every step between two levels has the byte of the definition', async () => {
    const values = Float32Array.from({ length: 3 * 20000 }, (_, i) => (i - 30000) / 29000);
    const clip = fromArray(device, values, [3, 2, 100, 100], 'f32');
    const bytes = await toRgb(clip).read();
    const expected = Uint8Array.from(values, (_, i) => {
      const [pixel, channel] = [Math.floor(i / 3), i % 3];
      return byteOf(values[channel * 20000 + pixel]!);
    });
    expect(bytes).toEqual(expected);
  });

  test('planes of frames become pixels, views too', async () => {
    const levels = Float32Array.from({ length: 3 * 2 * 2 * 3 }, (_, i) => (i + 0.5) / 127.5 - 1);
    const clip = fromArray(device, levels, [3, 2, 2, 3], 'f32');
    const second = await toRgb(clip.slice(1, 1)).read();
    expect([...second.subarray(0, 6)]).toEqual([6, 18, 30, 7, 19, 31]);
  });

  test('undoes fromRgb within the level that truncation takes', async () => {
    const image = patternImage(16, 16);
    const bytes = await toRgb(fromRgb(device, image.data, [16, 16]).squeeze(0)).read();
    const differences = new Set(image.data.map((value, index) => value - bytes[index]!));
    expect([...differences].every((difference) => difference === 0 || difference === 1)).toBe(true);
  });

  test('fromRgb gives v / 127.5 - 1 in planes, for every byte', async () => {
    const data = Uint8Array.from({ length: 3 * 2 * 128 }, (_, i) => (i * 7) % 256);
    const clip = fromRgb(device, data, [2, 128]);
    expect(clip.shape).toEqual([1, 3, 1, 2, 128]);
    const unit = (v: number): number => Math.fround(Math.fround(v / 127.5) - 1);
    const expected = [0, 1, 2].flatMap((channel) =>
      Array.from({ length: 256 }, (_, pixel) => unit(data[pixel * 3 + channel]!)),
    );
    expect([...(await clip.read())]).toEqual(expected);
  });

  test('fromRgb refuses bytes that are no such picture', () => {
    expect(() => fromRgb(device, new Uint8Array(11), [2, 2])).toThrow('11');
  });
});
