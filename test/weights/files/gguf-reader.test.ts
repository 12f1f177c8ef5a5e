import { describe, expect, it } from 'vitest';
import { GgufReader } from '../../../src/weights/files/gguf-reader.ts';

function reader(...bytes: number[]): GgufReader {
  return new GgufReader(Uint8Array.from(bytes), 'm.gguf');
}

describe('GgufReader', () => {
  it('reads zeros past the end and says so, whatever is asked for', () => {
    const short = reader(1, 2, 3);
    expect(short.isShort).toBe(false);
    expect([short.u32(), short.count('x', 9), short.text(), short.value()]).toEqual([
      0,
      0,
      '',
      null,
    ]);
    expect(short.isShort).toBe(true);
    expect(short.position).toBe(0);
  });

  it('keeps scalars and short lists, and passes over lists of texts', () => {
    const metadata = reader(
      ...[0, 0, 0, 0, 7], // u8
      ...[9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 6], // two u8
      ...[9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 97], // ['a']
    );
    expect([metadata.value(), metadata.value(), metadata.value()]).toEqual(['7', '5 6', null]);
    expect([metadata.isShort, metadata.position]).toEqual([false, 48]);
  });

  it('refuses bad text, an unknown type and endless nesting', () => {
    expect(() => reader(1, 0, 0, 0, 0, 0, 0, 0, 0xff).text()).toThrow('expected in UTF-8');
    expect(() => reader(13, 0, 0, 0).value()).toThrow('metadata expected a known type, got 13');
    const list = [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    const nested = reader(9, 0, 0, 0, ...Array.from({ length: 9 }, () => list).flat());
    expect(() => nested.value()).toThrow('lists in lists at most 4 deep');
  });
});
